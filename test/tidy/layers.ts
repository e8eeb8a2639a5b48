/**
 * Who may import whom. The longest prefix wins; a unit may import itself and the units listed.
 * Components never import each other: they meet through the API. `cmd` alone composes them.
 */
export const layers: Readonly<Record<string, readonly string[]>> = {
  base: [],
  wire: ["base"],
  apimachinery: ["base", "wire"],
  api: ["base", "apimachinery"],
  store: ["base", "wire"],
  client: ["base", "wire", "apimachinery", "api"],
  apiserver: ["base", "wire", "apimachinery", "api", "store", "client"],
  controllers: ["base", "wire", "apimachinery", "api", "client"],
  scheduler: ["base", "apimachinery", "api", "client"],
  kubelet: ["base", "wire", "apimachinery", "api", "client"],
  proxy: ["base", "apimachinery", "api", "client"],
  dns: ["base", "wire", "apimachinery", "api", "client"],
  cni: ["base"],
  testing: ["base", "wire", "apimachinery", "api", "client", "store", "apiserver", "controllers"],
  cmd: ["*"],
};
