/** `/api/v1/openapi.json`: made from the table of routes and the contract's schemas. */
import type * as v from 'valibot'
import { paramsSchemas } from '../../contract/api.ts'
import { errorCodes } from '../../contract/result.ts'
import { jsonSchemaOf } from './json-schema.ts'
import { routes, type Route } from './routes.ts'

const bodyOf = (route: Route): unknown => {
  if (route.body === null) return undefined
  const params = paramsSchemas[route.method]
  const schema = route.body === '' ? params : (params.entries as Readonly<Record<string, unknown>>)[route.body]
  return { required: true, content: { 'application/json': { schema: jsonSchemaOf(schema as v.GenericSchema) } } }
}

const parametersOf = (route: Route): readonly unknown[] => [
  ...[...route.pattern.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
  ...route.query.map((name) => ({ name, in: 'query', required: false, schema: { type: 'integer', minimum: 0 } })),
]

const answer = (description: string, schema: unknown = { type: 'object' }): unknown => ({
  description,
  content: { 'application/json': { schema } },
})

const operationOf = (route: Route): unknown => ({
  operationId: route.method,
  summary: route.summary,
  parameters: parametersOf(route),
  requestBody: bodyOf(route),
  responses: { '200': answer('The answer'), default: answer('Refused or failed', { $ref: '#/components/schemas/Error' }) },
})

const extra = {
  '/events': {
    get: {
      operationId: 'events',
      summary: 'Server-sent events, each a batch; resumes by Last-Event-ID',
      responses: { '200': { description: 'The stream', content: { 'text/event-stream': {} } } },
    },
  },
  '/metrics': {
    get: {
      operationId: 'metrics',
      summary: 'Prometheus text',
      responses: { '200': { description: 'Metrics', content: { 'text/plain': {} } } },
    },
  },
}

const errorSchema = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      properties: { code: { enum: errorCodes }, message: { type: 'string' }, details: {} },
      required: ['code', 'message'],
    },
  },
  required: ['error'],
}

/** The whole document. */
export const openapi = (version: string): unknown => {
  const paths: Record<string, Record<string, unknown>> = { ...extra }
  for (const route of routes) {
    const path = `/${route.pattern}`
    paths[path] = { ...paths[path], [route.verb.toLowerCase()]: operationOf(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'PBFT Panel', version, description: 'Times are ISO 8601 in UTC, sequence numbers and views numbers, digests hex.' },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }],
    paths,
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } }, schemas: { Error: errorSchema } },
  }
}
