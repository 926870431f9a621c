-- What the journal says, as tables for everybody's queries; docs/index.md explains them.
-- Amounts are integers of 1e-18 written as text, because they are larger than SQLite's; REAL columns are for pictures.
-- application_id is 'PERI'; index.py refuses files with another one. `crc` is the CRC-32 of the rest of its row.
PRAGMA application_id = 1346720329;
PRAGMA user_version = 1;

-- seq, hash, at_ms: newest fact that everything here includes, its hash in the journal, when it was committed (unix ms).
-- gap_after, gap_upto: blocks of facts in (gap_after, gap_upto] are still being filled in; absent otherwise.
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    crc INTEGER NOT NULL
) STRICT;

-- Every position ever on the curves. What has ended keeps the size it ended with.
CREATE TABLE positions (
    id INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    market TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('long', 'short')),
    base_size TEXT NOT NULL,      -- 1e-18 of the base
    entry_notional TEXT NOT NULL, -- 1e-18 USD
    entry_price TEXT NOT NULL,    -- 1e-18 USD, average, rounded down
    margin TEXT NOT NULL,         -- 1e-18 USD
    carry_snapshot TEXT NOT NULL, -- 1 / markets.carry_scale
    open_block INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('OPEN', 'CLOSED', 'LIQUIDATED')),
    realised_pnl TEXT NOT NULL,   -- 1e-18 USD, of trade and carry
    payout TEXT NOT NULL,         -- 1e-18 USD, paid to its owner so far
    end_payout TEXT NOT NULL,     -- 1e-18 USD, the part of payout that its liquidation paid
    crc INTEGER NOT NULL
) STRICT;
CREATE INDEX positions_of_owner ON positions (owner);
CREATE INDEX positions_open ON positions (market) WHERE status = 'OPEN';

-- The curves as they stand.
CREATE TABLE markets (
    symbol TEXT PRIMARY KEY,
    base_reserve TEXT NOT NULL,         -- 1e-18 of the base
    quote_reserve TEXT NOT NULL,        -- 1e-18 USD
    mark TEXT NOT NULL,                 -- 1e-18 USD, rounded down
    long_open_interest TEXT NOT NULL,   -- 1e-18 USD, sum of entry notionals
    short_open_interest TEXT NOT NULL,
    carry_index TEXT NOT NULL,          -- 1 / carry_scale
    carry_scale TEXT NOT NULL,
    last_funding_block INTEGER NOT NULL,
    crc INTEGER NOT NULL
) STRICT;

-- A position keeps buffer_ratio of its margin while its leverage is at most max_leverage; the last one has no limit.
CREATE TABLE leverage_buckets (
    market TEXT NOT NULL,
    place INTEGER NOT NULL,
    max_leverage REAL NOT NULL,
    buffer_ratio REAL NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (market, place)
) STRICT, WITHOUT ROWID;

-- The open positions that may be liquidated, by the exact rule.
CREATE TABLE liquidatable (
    position_id INTEGER PRIMARY KEY
) STRICT;

-- Every market as each block left it.
CREATE TABLE market_snapshots (
    block INTEGER NOT NULL,
    market TEXT NOT NULL,
    at_ms INTEGER NOT NULL,             -- unix ms
    seq INTEGER NOT NULL,               -- number of the block's fact
    mark TEXT NOT NULL,                 -- 1e-18 USD, rounded down
    long_open_interest TEXT NOT NULL,   -- 1e-18 USD
    short_open_interest TEXT NOT NULL,
    carry_index TEXT NOT NULL,          -- 1 / markets.carry_scale
    mark_usd REAL NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (block, market)
) STRICT, WITHOUT ROWID;
CREATE INDEX market_snapshots_at ON market_snapshots (at_ms);

-- Prices as they were seen; NULL is unknown. No journal has them: they are not made anew.
CREATE TABLE prices (
    at_ms INTEGER NOT NULL,             -- unix ms
    symbol TEXT NOT NULL,
    index_price TEXT,                   -- 1e-18 USD
    confidence TEXT,                    -- 1e-18 USD, half-width
    mark TEXT,                          -- 1e-18 USD
    crc INTEGER NOT NULL,
    PRIMARY KEY (at_ms, symbol)
) STRICT, WITHOUT ROWID;

-- Health at the moment of the query, in USD and plain ratios. is_liquidatable is exact, the rest is REAL.
CREATE VIEW position_health AS
WITH curve AS (
    SELECT
        symbol,
        CAST(base_reserve AS REAL) / 1e18 AS base,
        CAST(quote_reserve AS REAL) / 1e18 AS quote,
        CAST(carry_index AS REAL) AS carry_index,
        CAST(carry_scale AS REAL) AS carry_scale
    FROM markets
), held AS (
    SELECT
        p.id, p.owner, p.market, p.side, p.open_block,
        CASE p.side WHEN 'long' THEN 1.0 ELSE -1.0 END AS sign,
        CAST(p.base_size AS REAL) / 1e18 AS size,
        CAST(p.entry_notional AS REAL) / 1e18 AS entry,
        CAST(p.margin AS REAL) / 1e18 AS margin,
        (c.carry_index - CAST(p.carry_snapshot AS REAL)) / c.carry_scale AS drift,
        c.base, c.quote
    FROM positions AS p JOIN curve AS c ON c.symbol = p.market
    WHERE p.status = 'OPEN'
), worth AS (
    SELECT
        *,
        quote / base AS mark,
        size * (quote / base) AS notional,
        CASE WHEN base + sign * size > 0 THEN sign * (quote * size / (base + sign * size) - entry) END AS pnl,
        -sign * size * (quote / base) * drift AS carry
    FROM held
), levered AS (
    SELECT *, margin + pnl + carry AS equity, notional / margin AS leverage FROM worth
)
SELECT
    l.id AS position_id,
    l.owner,
    l.market,
    l.side,
    l.open_block,
    l.size,
    l.mark,
    l.notional,
    l.margin,
    l.pnl,
    l.carry,
    l.equity AS equity_if_closed,
    l.leverage AS current_leverage,
    coalesce(
        (SELECT b.buffer_ratio FROM leverage_buckets AS b
         WHERE b.market = l.market AND b.max_leverage >= l.leverage ORDER BY b.place LIMIT 1),
        (SELECT b.buffer_ratio FROM leverage_buckets AS b WHERE b.market = l.market ORDER BY b.place DESC LIMIT 1)
    ) AS buffer_ratio,
    EXISTS (SELECT 1 FROM liquidatable AS d WHERE d.position_id = l.id) AS is_liquidatable
FROM levered AS l;
