// An OpenID Connect provider over the certified implementation of npm
// (oidc-provider), with its own pages for signing in: any password is taken.
// Arguments: the folder of the module, then the settings as JSON.
import { pathToFileURL } from 'node:url';
import { createServer } from 'node:http';

const [module, settings] = process.argv.slice(-2);
const { Provider } = await import(pathToFileURL(`${module}/node_modules/oidc-provider/lib/index.js`));
const { port, people, clientID, clientSecret, redirect, inToken } = JSON.parse(settings);

const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: clientID, client_secret: clientSecret, redirect_uris: [redirect],
    response_types: ['code'], grant_types: ['authorization_code'],
  }],
  pkce: { required: () => true },
  // By the standard the claims of scopes are at the userinfo endpoint (OpenID Connect Core §5.4); many put them in the ID token.
  conformIdTokenClaims: !inToken,
  claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups'], email: ['email', 'email_verified'] },
  findAccount: (_, id) => people[id] && ({ accountId: id, claims: async () => ({ ...people[id], sub: id }) }),
  cookies: { keys: ['of a test'] },
});
createServer((request, response) => {
  if (request.url === '/ready') return response.end('ok');
  return provider.callback()(request, response);
}).listen(port, '127.0.0.1');
