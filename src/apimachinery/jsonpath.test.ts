import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { JsonPathError } from "./jsonpath-parser.ts";
import {
  compileFieldPath,
  compileJsonPath,
  fieldNamesOf,
  type JsonPathOptions,
  relaxedTemplate,
} from "./jsonpath.ts";

const store = {
  name: "shop",
  empty: [],
  nothing: null,
  labels: { "web/html": "15", "k8s-app": "20" },
  items: [
    { category: "reference", author: "Nigel Rees", price: 8.95, tags: ["a", "b"] },
    { category: "fiction", author: "Evelyn Waugh", price: 12, stock: 3, fine: true },
    { category: "fiction", author: "J. R. R. Tolkien", isbn: "0-395", price: 22, stock: 0 },
  ],
};

function print(template: string, options?: JsonPathOptions): string {
  try {
    return compileJsonPath(template, options).print(store);
  } catch (error) {
    if (error instanceof JsonPathError) return `! ${error.message}`;
    throw error;
  }
}

describe("compileJsonPath", () => {
  for (const [template, expected] of [
    ["", ""],
    ["plain text", "plain text"],
    ["hello {.name}!", "hello shop!"],
    ["{ .name }", "shop"],
    ["{$.name}", "shop"],
    ["{@.name}", "shop"],
    ["{.nothing}", "<nil>"],
    ["{.labels}", '{"k8s-app":"20","web/html":"15"}'],
    ["{.labels.web/html}", "15"],
    ["{.labels['k8s-app']}", "20"],
    ["{.items[*].author}", "Nigel Rees Evelyn Waugh J. R. R. Tolkien"],
    ["{.items[0].author}", "Nigel Rees"],
    ["{.items[-1].author}", "J. R. R. Tolkien"],
    ["{.items[-1:].price}", "22"],
    ["{.items[0:2].price}", "8.95 12"],
    ["{.items[::2].price}", "8.95 22"],
    ["{.items[1:1].price}", ""],
    ["{.items[0,2].price}", "8.95 22"],
    ["{.items[0]['price','author']}", "8.95 Nigel Rees"],
    ["{.items[0].tags}", '["a","b"]'],
    ["{.items[0].tags[*]}", "a b"],
    ["{.labels.*}", "15 20"],
    ["{..[0]}", "! map[string]interface {} is not array or slice"],
    ["{..author}", "Nigel Rees Evelyn Waugh J. R. R. Tolkien"],
    ["{..items[0].price}", "8.95"],
    ['{.items[?(@.category=="reference")].author}', "Nigel Rees"],
    ["{.items[?(@.category != 'reference')].price}", "12 22"],
    ["{.items[?(@.stock > 2)].author}", "! stock is not found"],
    ["{.items[?(@.isbn)].author}", "J. R. R. Tolkien"],
    ["{.items[?(@.fine == true)].author}", "! fine is not found"],
    ['{.items[?(@.author =~ "^[EJ]")].price}', "12 22"],
    ['{.items[?(@.author =~ "(")].price}', "! error parsing regexp: missing closing ): `(`"],
    ["{.items[?(@.category > 'g')].author}", "Nigel Rees"],
    ["{.items[?(@.price >= 12)].price}", "! incompatible types for comparison"],
    ["{.items[?(@.author == 5)].price}", "! incompatible types for comparison"],
    ["{.items[?(@ < 5)].price}", "! invalid type for comparison"],
    ['{.items[?(@.author == "(x)")].price}', ""],
    ["{.name[?(@.x)]}", "! shop is not array or slice and cannot be filtered"],
    ["{.name[0]}", "! string is not array or slice"],
    ["{.items[5].price}", "! array index out of bounds: index 5, length 3"],
    ["{.items[2:1].price}", "! starting index 2 is greater than ending index 1"],
    ["{.items[::0].price}", "! step must be > 0"],
    ["{.empty[0]}", "! array index out of bounds: index 0, length 0"],
    ["{.none}", "! none is not found"],
    [
      '{range .items[*]}{.category}{"\\t"}{.price}{"\\n"}{end}',
      "reference\t8.95\nfiction\t12\nfiction\t22\n",
    ],
    ["{range .items[0:1]}{range .tags[*]}<{@}>{end};{end}.", "<a><b>;."],
    ["{range .empty[*]}{.none}{end}end", "end"],
    ["{end}", "! not in range, nothing to end"],
    ['{"quoted \\"text\\" \\u0041"}', 'quoted "text" A'],
    ["{5}{-1.5}{true}", "5-1.5true"],
    ["{.name", "! unclosed action"],
    ["{.name[0}", "! unterminated array"],
    ["{.items[x]}", "! invalid array index x"],
    ["{.items[?(@.x}", "! unterminated filter"],
    ["{.items[?(@.x)}", "! unclosed array expect ]"],
    ['{"open}', "! unterminated quoted string"],
    ['{"\\q"}', '! unquote string "\\q" error invalid syntax'],
    ["{foo}", "! unrecognized identifier foo"],
    ["{*}", "! unrecognized character in action: U+002A '*'"],
    ["{....name}", "! invalid multiple recursive descent"],
    ["{-}", "! cannot parse number -"],
    ["{.items[?(@.category == 'x' ]", "! unterminated filter"],
  ] as const) {
    it(`${template} prints ${JSON.stringify(expected)}`, () => {
      assert.equal(print(template), expected);
    });
  }

  it("allows missing keys when asked", () => {
    const options = { allowMissingKeys: true };
    assert.equal(print("<{.none.at.all}>", options), "<>");
    assert.equal(print("{.items[?(@.stock > 2)].author}", options), "Evelyn Waugh");
    assert.equal(print("{.items[?(@.fine == true)].author}", options), "Evelyn Waugh");
  });

  it("gives the results of each action", () => {
    const { find } = compileJsonPath("{.items[*].price}, {.name}");
    assert.deepEqual(find(store), [[8.95, 12, 22], [", "], ["shop"]]);
  });
});

describe("compileFieldPath", () => {
  for (const [path, expected] of [
    [".name", "shop"],
    [".items[0].price", 8.95],
    [".items[*].price", 8.95],
    [".none.at.all", undefined],
    [".name[0]", undefined],
    [".nothing", null],
    [".labels.web/html", "15"],
  ] as const) {
    it(`${path} finds ${JSON.stringify(expected)}`, () => {
      assert.equal(compileFieldPath(path)(store), expected);
    });
  }
});

describe("fieldNamesOf", () => {
  for (const [path, names] of [
    [".spec.replicas", ["spec", "replicas"]],
    [".metadata.labels.a\\.b/c", ["metadata", "labels", "a.b/c"]],
    ["spec.replicas", undefined],
    [".spec[0]", undefined],
    [".spec..x", undefined],
    [".", undefined],
  ] as const) {
    it(`reads ${path}`, () => {
      assert.deepEqual(fieldNamesOf(path), names);
    });
  }
});

describe("relaxedTemplate", () => {
  for (const [text, template] of [
    ["", ""],
    ["metadata.name", "{.metadata.name}"],
    [".metadata.name", "{.metadata.name}"],
    ["{metadata.name}", "{.metadata.name}"],
    ["{.metadata.name}", "{.metadata.name}"],
  ] as const) {
    it(`of ${text}`, () => assert.equal(relaxedTemplate(text), template));
  }

  it("refuses several actions", () => {
    assert.throws(() => relaxedTemplate("{.a}{.b}"), { name: "JsonPathError" });
  });
});
