// An OpenID provider as strict as its library, with one confidential client and nobody to click: see node_provider.py.
//
// `node server.mjs PORT` runs in the folder of node_modules; OIDC_PROVIDER is JSON: cert, key (PEM), client_id,
// client_secret, redirect_uris, post_logout_redirect_uris. It writes the line "ready" once it listens.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:https";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// An import looks for packages beside this file; they are in the working directory.
const library = createRequire(pathToFileURL(`${process.cwd()}/`)).resolve("oidc-provider");
const { default: Provider, errors } = await import(pathToFileURL(library));

const port = Number(process.argv[2]);
const settings = JSON.parse(process.env.OIDC_PROVIDER);
const base = "/tenant";
const issuer = `https://localhost:${port}${base}`;
const interactions = `${base}/interaction/`;
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

function findAccount(ctx, accountId) {
  const name = accountId.replace(/^sub-/, "");
  const claims = {
    sub: accountId,
    name: name.charAt(0).toUpperCase() + name.slice(1),
    email: `${name}@contoso.example`,
    email_verified: true,
  };
  return { accountId, claims: () => claims };
}

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: settings.client_id,
      client_secret: settings.client_secret,
      redirect_uris: settings.redirect_uris,
      post_logout_redirect_uris: settings.post_logout_redirect_uris,
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "client_secret_post", // what msal sends
    },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig" }] },
  cookies: { keys: [randomBytes(32).toString("hex")] },
  claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"] },
  conformIdTokenClaims: false, // the ID token has the name and the email too, as Microsoft's has
  findAccount,
  pkce: { required: () => true },
  extraParams: {
    nonce(ctx, value) {
      if (!value) throw new errors.InvalidRequest("nonce is required");
    },
  },
  rotateRefreshToken: true,
  ttl: {
    Session: 3600,
    Grant: 3600,
    Interaction: 600,
    AuthorizationCode: 60,
    AccessToken: 3600,
    IdToken: 3600,
    RefreshToken: 3600,
  },
  interactions: { url: (ctx, interaction) => interactions + interaction.uid },
  renderError(ctx, out) {
    ctx.type = "text/plain";
    ctx.body = JSON.stringify(out);
  },
  features: { devInteractions: { enabled: false } },
});

/** The account: the browser's cookie, where an empty one declines, or the client's hint, which may be an email. */
function accountOf(request, { login_hint: hint }) {
  const cookie = /(?:^|;\s*)account=([^;]*)/.exec(request.headers.cookie ?? "")?.[1];
  const name = cookie === undefined ? hint?.split("@")[0] : decodeURIComponent(cookie);
  if (name === undefined) throw new Error("who signs in? send a cookie named account, or a login_hint");
  return name && `sub-${name}`;
}

/** Sign in and consent to everything that was asked. */
async function interact(request, response) {
  const { params } = await provider.interactionDetails(request, response);
  const accountId = accountOf(request, params);
  let result = { error: "access_denied", error_description: "the account's owner declined" };
  if (accountId) {
    const grant = new provider.Grant({ accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    result = { login: { accountId }, consent: { grantId: await grant.save() } };
  }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

function refuse(response, status, error) {
  if (response.headersSent) return response.destroy();
  return response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(String(error));
}

// The library forgets offline_access without prompt=consent, which clients of Microsoft do not send: then there is no
// refresh token, or one that refuses the scope msal asks it for.
function askingForConsent(url) {
  const asked = new URL(url, issuer);
  if (asked.pathname !== `${base}/auth` || asked.searchParams.has("prompt")) return url;
  asked.searchParams.set("prompt", "consent");
  return asked.pathname + asked.search;
}

const answer = provider.callback();
provider.on("server_error", (ctx, error) => console.error(error));

const server = createServer({ cert: settings.cert, key: settings.key }, (request, response) => {
  const url = askingForConsent(request.url);
  if (url.startsWith(interactions)) return interact(request, response).catch((error) => refuse(response, 400, error));
  if (!url.startsWith(`${base}/`)) return refuse(response, 404, "not found");
  request.originalUrl = url; // so that the library knows the folder it is mounted in
  request.url = url.slice(base.length);
  return answer(request, response);
});

process.once("SIGTERM", () => process.exit(0));
// Who started it may end without a word: by a kill, or by pytest's own limit.
const starter = process.ppid;
setInterval(() => process.ppid === starter || process.exit(0), 500).unref();
server.listen(port, "127.0.0.1", () => console.log("ready"));
