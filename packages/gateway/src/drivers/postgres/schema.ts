/**
 * The schema as the ordered list of steps that made it; `sallyport_schema` holds how many a database has taken.
 *
 * Append only: a published step never changes, for some database has already taken it.
 */
export const steps: readonly { readonly name: string; readonly sql: string }[] = [
  {
    name: 'sessions',
    sql: `
      CREATE TABLE sessions (
        id text PRIMARY KEY,
        tenant text NOT NULL,
        agent text NOT NULL,
        identity text NOT NULL,
        issuer text NOT NULL,
        subject text NOT NULL,
        scopes text NOT NULL,
        person text,
        state text NOT NULL CHECK (state IN ('revoked', 'reauth', 'ready', 'active', 'refreshing', 'uncertain')),
        reason text,
        certificate text,
        generation bigint NOT NULL,
        handle_made_at bigint NOT NULL,
        is_handle_used bigint NOT NULL,
        sealed_handle bytea,
        sealed_token bytea,
        fence bigint NOT NULL,
        attempts bigint NOT NULL,
        held_until bigint NOT NULL,
        opened_at bigint NOT NULL,
        expires_at bigint NOT NULL
      );
      CREATE INDEX sessions_by_agent ON sessions (tenant, agent, opened_at);
      CREATE INDEX sessions_by_opening ON sessions (opened_at);

      CREATE TABLE session_handles (
        digest text PRIMARY KEY,
        session text NOT NULL REFERENCES sessions ON DELETE CASCADE,
        generation bigint NOT NULL,
        UNIQUE (session, generation)
      );

      -- Tokens to give back: they outlive their sessions.
      CREATE TABLE session_orphans (
        key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        session text NOT NULL,
        generation bigint NOT NULL,
        sealed bytea NOT NULL,
        offers bigint NOT NULL,
        next_offer_at bigint NOT NULL
      );
      CREATE INDEX session_orphans_by_offer ON session_orphans (next_offer_at);
    `,
  },
  {
    name: 'agents, keys of tickets, credentials at providers, changes',
    sql: `
      CREATE TABLE agents (
        tenant text NOT NULL,
        agent text NOT NULL,
        standing text NOT NULL CHECK (standing IN ('active', 'revoked')),
        registered_at bigint NOT NULL,
        PRIMARY KEY (tenant, agent)
      );

      CREATE TABLE enrolment_tokens (
        tenant text NOT NULL,
        agent text NOT NULL,
        digest text NOT NULL UNIQUE,
        expires_at bigint NOT NULL,
        PRIMARY KEY (tenant, agent),
        FOREIGN KEY (tenant, agent) REFERENCES agents
      );

      CREATE TABLE certificates (
        tenant text NOT NULL,
        agent text NOT NULL,
        thumbprint text PRIMARY KEY,
        issuer text NOT NULL,
        previous text,
        issued_at bigint NOT NULL,
        not_after bigint NOT NULL,
        revoked_at bigint,
        FOREIGN KEY (tenant, agent) REFERENCES agents
      );
      CREATE INDEX certificates_by_agent ON certificates (tenant, agent);
      CREATE INDEX certificates_by_end ON certificates (not_after);

      -- An empty name stands for every one.
      CREATE TABLE blocks (
        tenant text NOT NULL,
        agent text NOT NULL,
        set_at bigint NOT NULL,
        PRIMARY KEY (tenant, agent)
      );

      CREATE TABLE ticket_keys (
        place bigint PRIMARY KEY CHECK (place = 1),
        version bigint NOT NULL,
        sealed bytea NOT NULL
      );

      CREATE TABLE provider_credentials (
        provider text PRIMARY KEY,
        sealed bytea NOT NULL
      );

      -- What every gateway must learn of the others.
      CREATE TABLE changes (
        place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at bigint NOT NULL,
        change text NOT NULL
      );
      CREATE INDEX changes_by_time ON changes (at);
    `,
  },
  {
    name: 'sessions of programs',
    sql: `
      ALTER TABLE sessions ADD COLUMN client text;
      ALTER TABLE sessions ADD COLUMN resource text;
    `,
  },
]
