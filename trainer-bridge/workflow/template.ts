// Prompts with placeholders: {name} is filled in once, {{ and }} are braces; what is filled in is never read as a template.

const PIECE = /\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** The names of all placeholders of a template, each once, in order. */
export function placeholders(template: string): string[] {
  const names = [...template.matchAll(PIECE)].map((match) => match[1]).filter((name) => name !== undefined);
  return [...new Set(names)];
}

/** The template with its placeholders replaced by the fields; a name without a field is an error. */
export function fillTemplate(template: string, fields: Readonly<Record<string, string>>): string {
  return template.replace(PIECE, (piece: string, name: string | undefined) => {
    if (name === undefined) return piece.charAt(0);
    if (!Object.hasOwn(fields, name)) {
      throw new Error(
        `{${name}} is not known here; there are ${Object.keys(fields)
          .map((one) => `{${one}}`)
          .join(", ")}.`,
      );
    }
    return fields[name] ?? "";
  });
}
