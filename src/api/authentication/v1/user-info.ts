import {
  type Infer,
  listOf,
  mapOf,
  named,
  opt,
  string,
  struct,
  wrappedListOf,
} from "#apimachinery/schema.ts";

export const UserInfo = struct("io.k8s.api.authentication.v1.UserInfo", {
  username: opt(1, string),
  uid: opt(2, string),
  groups: opt(3, listOf(string), { listType: "atomic" }),
  extra: opt(4, mapOf(named("v1.ExtraValue", wrappedListOf(string)))),
});
export interface UserInfo extends Infer<typeof UserInfo> {}
