-- A month's yellow and green taxi trips, one below the other, under the names that both share.
SELECT
    tpep_pickup_datetime AS pickup_datetime,
    tpep_dropoff_datetime AS dropoff_datetime,
    vendorid AS vendor_id,
    ratecodeid AS ratecode_id,
    pulocationid AS pu_location_id,
    dolocationid AS do_location_id,
    payment_type,
    fare_amount,
    extra,
    mta_tax,
    tip_amount,
    improvement_surcharge,
    tolls_amount,
    total_amount,
    congestion_surcharge,
    'yellow' AS taxi_type
FROM yellow
UNION ALL
SELECT
    lpep_pickup_datetime,
    lpep_dropoff_datetime,
    vendorid,
    ratecodeid,
    pulocationid,
    dolocationid,
    payment_type,
    fare_amount,
    extra,
    mta_tax,
    tip_amount,
    improvement_surcharge,
    tolls_amount,
    total_amount,
    congestion_surcharge,
    'green'
FROM green
