/**
 * The schema as the ordered list of steps that made it. `PRAGMA user_version` is the number of steps a database has taken.
 *
 * Append only: a published step never changes, for some database has already taken it.
 */
export const migrations: readonly { readonly name: string; readonly sql: string }[] = [
  {
    name: 'agents, enrolment tokens, certificates, blocks',
    sql: `
      CREATE TABLE agents (
        tenant TEXT NOT NULL,
        agent TEXT NOT NULL,
        standing TEXT NOT NULL CHECK (standing IN ('active', 'revoked')),
        registered_at INTEGER NOT NULL,
        PRIMARY KEY (tenant, agent)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE enrolment_tokens (
        tenant TEXT NOT NULL,
        agent TEXT NOT NULL,
        digest TEXT NOT NULL UNIQUE,
        expires_at INTEGER NOT NULL,
        PRIMARY KEY (tenant, agent),
        FOREIGN KEY (tenant, agent) REFERENCES agents
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE certificates (
        tenant TEXT NOT NULL,
        agent TEXT NOT NULL,
        thumbprint TEXT NOT NULL UNIQUE,
        issuer TEXT NOT NULL,
        previous TEXT,
        issued_at INTEGER NOT NULL,
        not_after INTEGER NOT NULL,
        revoked_at INTEGER,
        PRIMARY KEY (tenant, agent, thumbprint),
        FOREIGN KEY (tenant, agent) REFERENCES agents
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX certificates_by_end ON certificates (not_after);

      -- An empty name stands for every one.
      CREATE TABLE blocks (
        tenant TEXT NOT NULL,
        agent TEXT NOT NULL,
        set_at INTEGER NOT NULL,
        PRIMARY KEY (tenant, agent)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    name: 'sealed secrets',
    sql: `
      -- An empty tenant stands for the secrets shared by all.
      CREATE TABLE secrets (
        tenant TEXT NOT NULL,
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        set_at INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (tenant, name)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    name: 'held calls',
    sql: `
      CREATE TABLE held_calls (
        approval TEXT NOT NULL PRIMARY KEY,
        expires_at INTEGER NOT NULL,
        sealed BLOB NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX held_calls_by_end ON held_calls (expires_at);
    `,
  },
  {
    name: 'definitions of tools',
    sql: `
      CREATE TABLE tool_definitions (
        tenant TEXT NOT NULL,
        upstream TEXT NOT NULL,
        tool TEXT NOT NULL,
        digest TEXT NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (tenant, upstream, tool, digest)
      ) STRICT;
    `,
  },
  {
    name: 'sessions',
    sql: `
      CREATE TABLE sessions (
        id TEXT NOT NULL PRIMARY KEY,
        tenant TEXT NOT NULL,
        agent TEXT NOT NULL,
        identity TEXT NOT NULL,
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        scopes TEXT NOT NULL,
        person TEXT,
        state TEXT NOT NULL CHECK (state IN ('revoked', 'reauth', 'ready', 'active', 'refreshing', 'uncertain')),
        reason TEXT,
        certificate TEXT,
        generation INTEGER NOT NULL,
        handle_made_at INTEGER NOT NULL,
        is_handle_used INTEGER NOT NULL,
        sealed_handle BLOB,
        sealed_token BLOB,
        fence INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        held_until INTEGER NOT NULL,
        opened_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX sessions_by_agent ON sessions (tenant, agent, opened_at);
      CREATE INDEX sessions_by_opening ON sessions (opened_at);

      CREATE TABLE session_handles (
        digest TEXT NOT NULL PRIMARY KEY,
        session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
        generation INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE UNIQUE INDEX session_handles_by_session ON session_handles (session, generation);

      -- Tokens to give back: they outlive their sessions.
      CREATE TABLE session_orphans (
        key INTEGER PRIMARY KEY,
        session TEXT NOT NULL,
        generation INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        offers INTEGER NOT NULL,
        next_offer_at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX session_orphans_by_offer ON session_orphans (next_offer_at);
    `,
  },
  {
    name: 'credentials at identity providers',
    sql: `
      CREATE TABLE provider_credentials (
        provider TEXT NOT NULL PRIMARY KEY,
        sealed BLOB NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    name: 'sessions of programs',
    sql: `
      ALTER TABLE sessions ADD COLUMN client TEXT;
      ALTER TABLE sessions ADD COLUMN resource TEXT;
    `,
  },
]
