/**
 * node-oidc-provider with rotating refresh tokens and its state in PostgreSQL, a process for each core.
 *
 *     node oidc_peer.mjs <port>        with PostgreSQL's address in PGHOST, PGPORT, PGUSER
 *
 * POST /mint     {"refresh_token"}: a grant and a refresh token, as its code flow leaves them
 * POST /token    its own endpoint
 */
import cluster from "node:cluster";
import { availableParallelism } from "node:os";
import pg from "pg";
import Provider from "oidc-provider";

const port = Number(process.argv[2]);
const pool = new pg.Pool({ max: 10 });

/** One table for all models; what its documentation asks of an adapter. */
class Adapter {
  constructor(model) {
    this.model = model;
  }
  async upsert(id, payload, expiresIn) {
    const expires = expiresIn ? new Date(Date.now() + expiresIn * 1000) : null;
    await pool.query(
      `INSERT INTO models (model, id, payload, grant_id, expires_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (model, id) DO UPDATE SET payload = $3, grant_id = $4, expires_at = $5`,
      [this.model, id, payload, payload.grantId ?? null, expires],
    );
  }
  async find(id) {
    const { rows } = await pool.query("SELECT payload, consumed_at FROM models WHERE model = $1 AND id = $2", [this.model, id]);
    if (rows.length === 0) return undefined;
    const [{ payload, consumed_at: consumed }] = rows;
    return consumed ? { ...payload, consumed: true } : payload;
  }
  async consume(id) {
    await pool.query("UPDATE models SET consumed_at = now() WHERE model = $1 AND id = $2", [this.model, id]);
  }
  async destroy(id) {
    await pool.query("DELETE FROM models WHERE model = $1 AND id = $2", [this.model, id]);
  }
  async revokeByGrantId(grantId) {
    await pool.query("DELETE FROM models WHERE grant_id = $1", [grantId]);
  }
}

const CLIENT = { client_id: "bench", client_secret: "benchmarks-only-0123456789abcdef0", redirect_uris: ["https://client.example/cb"] };

function serve() {
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    adapter: Adapter,
    clients: [{ ...CLIENT, grant_types: ["authorization_code", "refresh_token"], id_token_signed_response_alg: "EdDSA" }],
    jwks: { keys: [JSON.parse(process.env.KEY)] },
    features: { devInteractions: { enabled: false } },
    enabledJWA: { idTokenSigningAlgValues: ["EdDSA", "RS256"] },
    rotateRefreshToken: true,
    scopes: ["openid", "offline_access"],
    cookies: { keys: ["benchmarks-only"] },
    ttl: { AccessToken: 300, RefreshToken: 86_400, Grant: 86_400, IdToken: 300 },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  });
  provider.use(async (ctx, next) => {
    if (ctx.path !== "/mint") return next();
    const scope = "openid offline_access";
    const grant = new provider.Grant({ accountId: "kim", clientId: CLIENT.client_id });
    grant.addOIDCScope(scope);
    const grantId = await grant.save();
    const client = await provider.Client.find(CLIENT.client_id);
    const token = new provider.RefreshToken({
      accountId: "kim", client, grantId, scope, gty: "authorization_code", authTime: Math.floor(Date.now() / 1000), claims: {},
      iiat: Math.floor(Date.now() / 1000), rotations: 0,
    });
    ctx.body = { refresh_token: await token.save() };
  });
  provider.listen(port, "127.0.0.1");
}

if (cluster.isPrimary) {
  await pool.query(`CREATE TABLE models (model text, id text, payload jsonb NOT NULL, grant_id text, expires_at timestamptz,
    consumed_at timestamptz, PRIMARY KEY (model, id))`);
  await pool.query("CREATE INDEX ON models (grant_id)");
  const { privateKey } = await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign"]);
  const key = { ...(await crypto.subtle.exportKey("jwk", privateKey)), alg: "EdDSA", use: "sig", kid: "1", key_ops: undefined };
  for (let cores = availableParallelism(); cores > 0; cores -= 1) cluster.fork({ KEY: JSON.stringify(key) });
} else {
  serve();
}
