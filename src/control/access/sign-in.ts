// Ways to sign in: what each of them finds out, and the one by name and password.

import { hashPassword, verifyPassword } from './password.ts'
import { type Role, roles, type Scope } from './scopes.ts'

/** Who somebody is, as a way to sign in found out. */
export interface Identity {
  readonly name: string
  /** What the scopes come from. */
  readonly roles: readonly Role[]
  readonly scopes: readonly Scope[]
  /** Where a browser goes on after signing out here, to sign out there too. */
  readonly signOutUrl?: string
}

/** A way to sign in by name and password; other ways open their sessions by themselves. */
export interface SignIn {
  /** Undefined when name and password do not go together. */
  signIn(name: string, password: string): Promise<Identity | undefined>
}

/** An account of this program. */
export interface Account {
  readonly name: string
  /** As `hashPassword` makes it. */
  readonly passwordHash: string
  readonly role: Role
}

/** Sign-in by the accounts of a list; an unknown name takes as long as a wrong password. */
export class AccountSignIn implements SignIn {
  readonly #accounts: ReadonlyMap<string, Account>
  readonly #nobody = hashPassword('nobody')

  constructor(accounts: readonly Account[]) {
    this.#accounts = new Map(accounts.map((account) => [account.name, account]))
  }

  async signIn(name: string, password: string): Promise<Identity | undefined> {
    const account = this.#accounts.get(name)
    const isRight = await verifyPassword(account?.passwordHash ?? (await this.#nobody), password)
    if (account === undefined || !isRight) return undefined
    const { role } = account
    return { name, roles: [role], scopes: roles[role] }
  }
}
