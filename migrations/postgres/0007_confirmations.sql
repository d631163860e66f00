-- Subscriptions of SNS that wait for somebody to visit an address.
CREATE TABLE confirmations (
    topic TEXT COLLATE "C" PRIMARY KEY,
    url TEXT NOT NULL,
    received_at TIMESTAMPTZ NOT NULL
);
