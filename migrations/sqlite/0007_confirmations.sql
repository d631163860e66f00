-- Subscriptions of SNS that wait for somebody to visit an address.
CREATE TABLE confirmations (
    topic TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    received_at TEXT NOT NULL
);
