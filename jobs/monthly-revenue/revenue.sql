-- A month's trips by pick-up zone, month and service: what they brought in, and how full and how long they were.
WITH trips AS (
    SELECT
        'yellow' AS service_type, tpep_pickup_datetime AS pickup_datetime, pulocationid, passenger_count, trip_distance,
        fare_amount, extra, mta_tax, tip_amount, tolls_amount, improvement_surcharge, total_amount, congestion_surcharge
    FROM yellow
    UNION ALL
    SELECT
        'green', lpep_pickup_datetime, pulocationid, passenger_count, trip_distance,
        fare_amount, extra, mta_tax, tip_amount, tolls_amount, improvement_surcharge, total_amount, congestion_surcharge
    FROM green
)
SELECT
    pulocationid AS revenue_zone,
    date_trunc('month', pickup_datetime) AS revenue_month,
    service_type,
    count(*) AS trips,
    sum(fare_amount) AS revenue_monthly_fare,
    sum(extra) AS revenue_monthly_extra,
    sum(mta_tax) AS revenue_monthly_mta_tax,
    sum(tip_amount) AS revenue_monthly_tip_amount,
    sum(tolls_amount) AS revenue_monthly_tolls_amount,
    sum(improvement_surcharge) AS revenue_monthly_improvement_surcharge,
    sum(total_amount) AS revenue_monthly_total_amount,
    sum(congestion_surcharge) AS revenue_monthly_congestion_surcharge,
    avg(passenger_count) AS avg_monthly_passenger_count,
    avg(trip_distance) AS avg_monthly_trip_distance
FROM trips
GROUP BY 1, 2, 3
ORDER BY 2, 1, 3
