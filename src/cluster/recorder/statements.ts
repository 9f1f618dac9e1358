/** Statements of a database, each made once: a new one for each use leaves its memory outside the heap, where no collector feels it. */
import type Database from 'better-sqlite3'

/** Gives the statement of a text. Only for texts of which there are few. */
export type Statements = (sql: string) => Database.Statement

export const statementsOf = (db: Database.Database): Statements => {
  const made = new Map<string, Database.Statement>()
  return (sql) => {
    const known = made.get(sql)
    if (known !== undefined) return known
    const statement = db.prepare(sql)
    made.set(sql, statement)
    return statement
  }
}
