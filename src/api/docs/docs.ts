/**
 * Words about a package's types, for OpenAPI and `kubectl explain`: type name -> field -> a sentence or two; the type itself under "".
 * Fields that mean the same everywhere stand in `common.ts`.
 */
export type Docs = Readonly<Record<string, Readonly<Record<string, string>>>>;
