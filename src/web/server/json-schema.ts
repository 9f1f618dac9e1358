/** The contract's valibot schemas as JSON Schema, so that the documented API is the one that is enforced. */
import type * as v from 'valibot'

type Loose = Readonly<Record<string, unknown>>

/** What a `pipe` adds to its first schema. */
const refinementOf = (action: Loose): Loose => {
  switch (action['type']) {
    case 'integer':
    case 'safe_integer':
      return { type: 'integer' }
    case 'min_value':
      return { minimum: action['requirement'] }
    case 'max_value':
      return { maximum: action['requirement'] }
    case 'regex':
      return { pattern: (action['requirement'] as RegExp).source }
    default:
      return {}
  }
}

const lengthRefinementOf = (action: Loose, isArray: boolean): Loose => {
  if (action['type'] === 'min_length') return { [isArray ? 'minItems' : 'minLength']: action['requirement'] }
  if (action['type'] === 'max_length') return { [isArray ? 'maxItems' : 'maxLength']: action['requirement'] }
  return {}
}

const isOptional = (schema: Loose): boolean => schema['type'] === 'optional'

const objectOf = (entries: Readonly<Record<string, Loose>>): Loose => ({
  type: 'object',
  properties: Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, convert(entry)])),
  required: Object.entries(entries)
    .filter(([, entry]) => !isOptional(entry))
    .map(([name]) => name),
  additionalProperties: false,
})

const bareOf = (schema: Loose): Loose => {
  switch (schema['type']) {
    case 'strict_object':
      return objectOf(schema['entries'] as Readonly<Record<string, Loose>>)
    case 'variant':
      return { oneOf: (schema['options'] as readonly Loose[]).map(convert) }
    case 'array':
      return { type: 'array', items: convert(schema['item'] as Loose) }
    case 'optional': {
      const fallback = schema['default']
      return { ...convert(schema['wrapped'] as Loose), ...(fallback === undefined ? {} : { default: fallback }) }
    }
    case 'nullable':
      return { anyOf: [convert(schema['wrapped'] as Loose), { type: 'null' }] }
    case 'literal':
      return { const: schema['literal'] }
    case 'picklist':
      return { enum: schema['options'] }
    default:
      return { type: schema['type'] }
  }
}

const convert = (schema: Loose): Loose => {
  const bare = bareOf(schema)
  const actions = ((schema['pipe'] as readonly Loose[] | undefined) ?? []).slice(1)
  return actions.reduce(
    (whole, action) => ({ ...whole, ...refinementOf(action), ...lengthRefinementOf(action, bare['type'] === 'array') }),
    bare,
  )
}

/** Covers the kinds of schema that the contract uses: objects, variants, arrays, literals, picklists, numbers, strings, booleans. */
export const jsonSchemaOf = (schema: v.GenericSchema): unknown => convert(schema as unknown as Loose)
