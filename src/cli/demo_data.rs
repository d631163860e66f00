//! Trip files as the TLC published them in 2022: the same columns, types and names; the trips are made up, and the same
//! every time.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int64Array, NullArray, StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;

use crate::error::{Error, Result};

/// A month's file.
pub(super) struct TripFile {
    /// Its key in the bucket.
    pub(super) key: String,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
    /// Its trips.
    pub(super) rows: usize,
    /// The sum of `total_amount`, in cents.
    pub(super) total_cents: i64,
}

/// Which taxis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Color {
    /// Medallion taxis.
    Yellow,
    /// Street-hail liveries.
    Green,
}

impl Color {
    fn name(self) -> &'static str {
        match self {
            Self::Yellow => "yellow",
            Self::Green => "green",
        }
    }
}

/// Makes the trips of one color in one month, `2022-03`.
pub(super) fn trips(color: Color, month: &str, rows: usize) -> Result<TripFile> {
    let first = NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d")
        .map_err(|cause| Error::invalid(format!("'{month}' is not a month: {cause}")))?;
    let mut trips = Trips::new(first, color, rows);
    let total_cents = trips.total.iter().sum();
    let columns = trips.columns(color);
    let batch = RecordBatch::try_from_iter_with_nullable(columns).map_err(unwritable)?;
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).map_err(unwritable)?;
    writer.write(&batch).map_err(unwritable)?;
    writer.close().map_err(unwritable)?;
    let name = color.name();
    Ok(TripFile {
        key: format!("raw/{name}/{name}_tripdata_{month}.parquet"),
        bytes,
        rows,
        total_cents,
    })
}

fn unwritable(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal("the demo's data can't be made").source(cause)
}

/// Numbers that look random and are the same every time (SplitMix64, Steele et al. 2014).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both possible.
    fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low + 1).unwrap_or(1);
        low + i64::try_from(self.roll() % span).unwrap_or(0)
    }
}

/// Trips by column; money in cents.
#[derive(Default)]
struct Trips {
    vendor: Vec<i64>,
    pickup: Vec<i64>,
    dropoff: Vec<i64>,
    /// Absent where the trip was not dispatched by meter, as in the TLC's own files.
    passengers: Vec<Option<f64>>,
    distance: Vec<f64>,
    pickup_zone: Vec<i64>,
    dropoff_zone: Vec<i64>,
    payment: Vec<i64>,
    fare: Vec<i64>,
    extra: Vec<i64>,
    tip: Vec<i64>,
    tolls: Vec<i64>,
    congestion: Vec<i64>,
    total: Vec<i64>,
}

const MTA_TAX: i64 = 50;
const IMPROVEMENT: i64 = 30;

impl Trips {
    fn new(first: NaiveDate, color: Color, rows: usize) -> Self {
        let seed = u64::from(first.year().unsigned_abs()) * 100 + u64::from(first.month());
        let mut dice = Dice(seed * 2 + u64::from(color == Color::Green));
        let start = first
            .and_hms_opt(0, 0, 0)
            .map_or(0, |time| time.and_utc().timestamp());
        let month_seconds = 28 * 24 * 3600;
        let mut trips = Self::default();
        for _ in 0..rows {
            let pickup = start + dice.between(0, month_seconds - 1);
            let minutes = dice.between(2, 55);
            let hundredths = dice.between(30, 40) * minutes / 10 + dice.between(0, 99);
            let fare = 250 + hundredths * 25 / 10 * 10 / 10;
            let extra = dice.between(0, 2) * 50;
            let tip = if dice.between(0, 9) < 6 {
                fare * dice.between(10, 25) / 100
            } else {
                0
            };
            let tolls = if dice.between(0, 19) == 0 { 655 } else { 0 };
            let congestion = if color == Color::Yellow {
                250
            } else {
                dice.between(0, 1) * 275
            };
            trips.vendor.push(dice.between(1, 2));
            trips.pickup.push(pickup * 1_000_000);
            trips
                .dropoff
                .push((pickup + minutes * 60 + dice.between(0, 59)) * 1_000_000);
            let passengers = dice.between(1, 6);
            trips
                .passengers
                .push((dice.between(0, 29) > 0).then_some(float(passengers)));
            trips.distance.push(dollars(hundredths));
            trips.pickup_zone.push(dice.between(1, 263));
            trips.dropoff_zone.push(dice.between(1, 263));
            trips.payment.push(if tip > 0 { 1 } else { 2 });
            trips
                .total
                .push(fare + extra + MTA_TAX + tip + tolls + IMPROVEMENT + congestion);
            trips.fare.push(fare);
            trips.extra.push(extra);
            trips.tip.push(tip);
            trips.tolls.push(tolls);
            trips.congestion.push(congestion);
        }
        trips
    }

    /// The columns in the TLC's order.
    fn columns(&mut self, color: Color) -> Vec<(&'static str, ArrayRef, bool)> {
        let rows = self.vendor.len();
        let flags: StringArray = self.passengers.iter().map(|known| known.map(|_| "N")).collect();
        let rate_codes: Float64Array = self.passengers.iter().map(|known| known.map(|_| 1.0)).collect();
        let passengers: Float64Array = self.passengers.iter().copied().collect();
        let payment = std::mem::take(&mut self.payment);
        let vendor = column("VendorID", integers(&mut self.vendor));
        let pickup: ArrayRef = Arc::new(TimestampMicrosecondArray::from(std::mem::take(&mut self.pickup)));
        let dropoff: ArrayRef = Arc::new(TimestampMicrosecondArray::from(std::mem::take(&mut self.dropoff)));
        let passengers = column("passenger_count", Arc::new(passengers));
        let distance = column(
            "trip_distance",
            Arc::new(Float64Array::from(std::mem::take(&mut self.distance))),
        );
        let rate_codes = column("RatecodeID", Arc::new(rate_codes));
        let flags = column("store_and_fwd_flag", Arc::new(flags));
        let pickup_zone = column("PULocationID", integers(&mut self.pickup_zone));
        let dropoff_zone = column("DOLocationID", integers(&mut self.dropoff_zone));
        let fare = column("fare_amount", money(&self.fare));
        let extra = column("extra", money(&self.extra));
        let tax = column("mta_tax", money(&vec![MTA_TAX; rows]));
        let tip = column("tip_amount", money(&self.tip));
        let tolls = column("tolls_amount", money(&self.tolls));
        let improvement = column("improvement_surcharge", money(&vec![IMPROVEMENT; rows]));
        let total = column("total_amount", money(&self.total));
        let congestion = column("congestion_surcharge", money(&self.congestion));
        match color {
            Color::Yellow => vec![
                vendor,
                column("tpep_pickup_datetime", pickup),
                column("tpep_dropoff_datetime", dropoff),
                passengers,
                distance,
                rate_codes,
                flags,
                pickup_zone,
                dropoff_zone,
                column("payment_type", Arc::new(Int64Array::from(payment))),
                fare,
                extra,
                tax,
                tip,
                tolls,
                improvement,
                total,
                congestion,
                column("airport_fee", money(&vec![0; rows])),
            ],
            Color::Green => vec![
                vendor,
                column("lpep_pickup_datetime", pickup),
                column("lpep_dropoff_datetime", dropoff),
                flags,
                rate_codes,
                pickup_zone,
                dropoff_zone,
                passengers,
                distance,
                fare,
                extra,
                tax,
                tip,
                tolls,
                column("ehail_fee", Arc::new(NullArray::new(rows))),
                improvement,
                total,
                column(
                    "payment_type",
                    Arc::new(
                        payment
                            .iter()
                            .map(|kind| Some(float(*kind)))
                            .collect::<Float64Array>(),
                    ),
                ),
                column("trip_type", Arc::new(Float64Array::from(vec![1.0; rows]))),
                congestion,
            ],
        }
    }
}

fn column(name: &'static str, values: ArrayRef) -> (&'static str, ArrayRef, bool) {
    (name, values, true)
}

fn integers(values: &mut Vec<i64>) -> ArrayRef {
    Arc::new(Int64Array::from(std::mem::take(values)))
}

fn money(cents: &[i64]) -> ArrayRef {
    Arc::new(
        cents
            .iter()
            .map(|cents| Some(dollars(*cents)))
            .collect::<Float64Array>(),
    )
}

#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
fn float(number: i64) -> f64 {
    number as f64
}

fn dollars(cents: i64) -> f64 {
    float(cents) / 100.0
}
