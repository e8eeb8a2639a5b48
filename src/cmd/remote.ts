import { dirname, resolve } from "node:path";
import type { Lifetime } from "#base/lifetime.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import type { World } from "#base/world.ts";
import { type Client, createClient } from "#client/client.ts";
import { createHttpTransport } from "#client/http-transport.ts";
import { createInformers, type Informers } from "#client/informer-factory.ts";
import { createAccountTransport } from "./account-transport.ts";
import { parseYaml } from "#wire/yaml.ts";

/** A component's way to an API server of another process. */
export interface Remote {
  readonly client: Client;
  readonly informers: Informers;
}

interface Kubeconfig {
  readonly clusters?: readonly { name: string; cluster: ClusterEntry }[];
  readonly users?: readonly { name: string; user: UserEntry }[];
  readonly contexts?: readonly { name: string; context: { cluster: string; user: string } }[];
  readonly "current-context"?: string;
}

interface ClusterEntry {
  readonly server: string;
  readonly "certificate-authority"?: string;
  readonly "certificate-authority-data"?: string;
  readonly "insecure-skip-tls-verify"?: boolean;
  readonly "tls-server-name"?: string;
}

interface UserEntry {
  readonly "client-certificate"?: string;
  readonly "client-certificate-data"?: string;
  readonly "client-key"?: string;
  readonly "client-key-data"?: string;
  readonly token?: string;
  readonly tokenFile?: string;
}

/** What a kubeconfig's current context says, with its files read. */
export interface Credentials {
  readonly baseUrl: string;
  /** How to know the server. */
  readonly trust: { readonly ca?: string; readonly serverName?: string; readonly insecure?: boolean };
  /** PEM of a client certificate and its key. */
  readonly pair: { readonly cert?: string; readonly key?: string };
  readonly token?: string;
}

/** Opens a client by a kubeconfig file. Errors: when the file lacks what it names. */
export async function connectRemote(
  world: World,
  spec: { readonly kubeconfig: string; readonly userAgent: string; readonly lifetime: Lifetime },
): Promise<Remote> {
  const { lifetime, userAgent } = spec;
  const { clock, random } = world;
  const { baseUrl, trust, pair, token } = await readCredentials(world, spec.kubeconfig);
  const http = lifetime.use(
    createHttpClient({ baseUrl, userAgent, tls: { ...trust, ...pair }, ...(token !== undefined && { token }) }),
  );
  const own = createHttpTransport({ http, clock, userAgent });
  const transport = createAccountTransport({
    own,
    http: lifetime.use(createHttpClient({ baseUrl, userAgent, tls: trust })),
    clock,
    userAgent,
  });
  const client = createClient({ transport, userAgent });
  const log = world.log.named("informers");
  return { client, informers: createInformers({ client, clock, random, log, lifetime }) };
}

/** Reads a kubeconfig. Errors: when the file lacks what it names. */
export async function readCredentials(world: World, kubeconfig: string): Promise<Credentials> {
  const { cluster, user } = await readKubeconfig(world, kubeconfig);
  const read = async (data: string | undefined, file: string | undefined): Promise<string | undefined> => {
    if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
    return file === undefined ? undefined : world.files.readText(resolve(dirname(kubeconfig), file));
  };
  const ca = await read(cluster["certificate-authority-data"], cluster["certificate-authority"]);
  const cert = await read(user["client-certificate-data"], user["client-certificate"]);
  const key = await read(user["client-key-data"], user["client-key"]);
  const token = user.token ?? (user.tokenFile === undefined ? undefined : (await world.files.readText(user.tokenFile)).trim());
  return {
    baseUrl: cluster.server,
    trust: {
      ...(ca !== undefined && { ca }),
      ...(cluster["tls-server-name"] !== undefined && { serverName: cluster["tls-server-name"] }),
      ...(cluster["insecure-skip-tls-verify"] === true && { insecure: true }),
    },
    pair: { ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) },
    ...(token !== undefined && { token }),
  };
}

async function readKubeconfig(world: World, path: string): Promise<{ cluster: ClusterEntry; user: UserEntry }> {
  const config = parseYaml(await world.files.read(path)).value as Kubeconfig;
  const context = config.contexts?.find(({ name }) => name === config["current-context"])?.context;
  const cluster = config.clusters?.find(({ name }) => name === context?.cluster)?.cluster;
  const user = config.users?.find(({ name }) => name === context?.user)?.user;
  if (cluster === undefined || user === undefined) throw new Error(`${path} has no complete current context`);
  return { cluster, user };
}
