-- Senders whose pictures on other servers are shown without asking.

CREATE TABLE picture_senders (
    address TEXT PRIMARY KEY COLLATE NOCASE,
    -- SET NULL: the choice outlives the account of whoever made it.
    agent_id INTEGER REFERENCES agents (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX picture_senders_of_agent ON picture_senders (agent_id);
