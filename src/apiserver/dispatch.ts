import { methodNotSupported, unknownResource } from "#apimachinery/status.ts";
import { DeleteOptions } from "#apimachinery/meta/options.ts";
import type { Answer } from "./answer.ts";
import type { Call, Endpoint } from "./call.ts";
import type { Handler, HandlerContext } from "./handlers/handler.ts";
import { create } from "./rest/create.ts";
import { decodeDeleteOptions } from "./rest/delete-options.ts";
import { remove, removeEach } from "./rest/delete.ts";
import { isUnsafeDelete, removeUnreadable } from "./rest/unsafe-delete.ts";
import { get, list } from "./rest/list.ts";
import { patch } from "./rest/patch.ts";
import { readScale, writeScale } from "./rest/scale.ts";
import { update } from "./rest/update.ts";

/** Carries out any call but a watch or a stream. */
export async function dispatch(
  context: HandlerContext,
  handlers: ReadonlyMap<string, Handler>,
  request: { readonly endpoint: Endpoint; readonly call: Call },
): Promise<Answer> {
  const { endpoint, call } = request;
  if (endpoint.definition.deprecation !== undefined) call.warn(endpoint.definition.deprecation);
  if (call.subresource !== "") return dispatchSubresource(context, handlers, request);
  const { handler } = endpoint.definition;
  if (handler !== undefined) return handled(handlers, handler)(context, endpoint, call);
  return dispatchObject(context, endpoint, call);
}

function handled(handlers: ReadonlyMap<string, Handler>, name: string): Handler {
  const handler = handlers.get(name);
  if (handler === undefined) throw unknownResource();
  return handler;
}

async function dispatchObject(
  { rest, authorizer }: HandlerContext,
  endpoint: Endpoint,
  call: Call,
): Promise<Answer> {
  switch (call.verb) {
    case "get":
      return { kind: "entry", endpoint, entry: await get(endpoint, call), code: 200 };
    case "list":
      return { kind: "list", endpoint, page: await list(endpoint, call) };
    case "create": {
      const { entry } = await create(endpoint, call, rest);
      return { kind: "entry", endpoint, entry, code: 201 };
    }
    case "update": {
      const { entry, created } = await update(endpoint, call, rest);
      return { kind: "entry", endpoint, entry, code: created ? 201 : 200 };
    }
    case "patch": {
      const { entry, created } = await patch(endpoint, call, rest);
      return { kind: "entry", endpoint, entry, code: created ? 201 : 200 };
    }
    case "delete": {
      const options = decodeDeleteOptions(call, DeleteOptions);
      if (isUnsafeDelete(call, options)) {
        return { kind: "status", status: await removeUnreadable(endpoint, call, authorizer), code: 200 };
      }
      const deleted = await remove(endpoint, withDryRun(call, options), { deps: rest, options });
      if (deleted.kind === "status") return { kind: "status", status: deleted.status, code: 200 };
      return { kind: "entry", endpoint, entry: deleted.entry, code: 200 };
    }
    case "deletecollection": {
      const options = decodeDeleteOptions(call, DeleteOptions);
      isUnsafeDelete(call, options);
      const page = await list(endpoint, call);
      await removeEach(endpoint, withDryRun(call, options), { deps: rest, options, entries: page.entries });
      return { kind: "list", endpoint, page };
    }
    case "watch":
      throw methodNotSupported({ group: endpoint.definition.group, resource: endpoint.definition.plural }, "watch");
  }
}

/** Whoever sends options in a body has said all: the query counts no more. */
function withDryRun(call: Call, options: { dryRun?: string[] | undefined }): Call {
  const sent = call.body?.form === "bytes" && call.body.bytes.length > 0;
  const asked = (options.dryRun?.length ?? 0) > 0 || (!sent && call.options.dryRun === true);
  return { ...call, options: { ...call.options, dryRun: asked } };
}

async function dispatchSubresource(
  context: HandlerContext,
  handlers: ReadonlyMap<string, Handler>,
  { endpoint, call }: { readonly endpoint: Endpoint; readonly call: Call },
): Promise<Answer> {
  const subresource = endpoint.definition.subresources[call.subresource];
  if (subresource === undefined) throw unknownResource();
  if (subresource.handler !== undefined) {
    return handled(handlers, subresource.handler)(context, endpoint, call);
  }
  if (subresource.scale !== undefined) {
    return call.verb === "get"
      ? readScale(endpoint, call)
      : writeScale(endpoint, call, context.rest);
  }
  switch (call.verb) {
    case "get":
      return { kind: "entry", endpoint, entry: await get(endpoint, call), code: 200 };
    case "update":
      return { kind: "entry", endpoint, entry: (await update(endpoint, call, context.rest)).entry, code: 200 };
    case "patch":
      return { kind: "entry", endpoint, entry: (await patch(endpoint, call, context.rest)).entry, code: 200 };
    default:
      throw methodNotSupported({ group: endpoint.definition.group, resource: endpoint.definition.plural }, call.verb);
  }
}
