import { createHash, timingSafeEqual } from "node:crypto";
import type { User } from "../call.ts";
import { type Authenticator, bearerToken } from "./authenticator.ts";

/** Tokens of `--token-auth-file`: CSV lines `token,user,uid[,"group1,group2"]`. */
export function createTokenFileAuthenticator(csv: string): Authenticator {
  const rows = csv
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map(parseRow);
  return {
    name: "token-file",
    authenticate(credentials) {
      const token = bearerToken(credentials);
      if (token === "") return Promise.resolve(undefined);
      const digest = digestOf(token);
      const row = rows.find((candidate) => timingSafeEqual(candidate.digest, digest));
      return Promise.resolve(row?.user ?? "invalid");
    },
  };
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function parseRow(line: string): { digest: Buffer; user: User } {
  const [token = "", name = "", uid = "", groups = ""] = splitCsv(line);
  return {
    digest: digestOf(token),
    user: { name, uid, groups: groups === "" ? [] : groups.split(",").map((group) => group.trim()), extra: {} },
  };
}

function splitCsv(line: string): string[] {
  const cells: string[] = [];
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    cells.push((match[1]?.replaceAll('""', '"') ?? match[2] ?? "").trim());
  }
  return cells;
}
