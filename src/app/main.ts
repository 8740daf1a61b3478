#!/usr/bin/env node
// The command line: one file of `cli/` per command.

import { Command } from 'commander'
import { addAuditCommand } from './cli/audit.ts'
import { addCatalogueCommands } from './cli/catalogue.ts'
import { addChaosCommand } from './cli/chaos.ts'
import { addCheckCommand } from './cli/check.ts'
import { addDryRunCommand } from './cli/dry-run.ts'
import { addLintCommand } from './cli/lint.ts'
import { fail } from './cli/outcome.ts'
import { addRetentionCommand } from './cli/retention.ts'
import { addRotateEvidenceKeyCommand } from './cli/rotate-evidence-key.ts'
import { addRotateKeysCommand } from './cli/rotate-keys.ts'
import { addStartCommands } from './cli/start.ts'
import { addAccessCommands } from './cli/token.ts'
import { addEvidenceCommands } from './cli/verify.ts'

const command = new Command('siprec-gateway').description('SIP call-recording gateway, SIPREC recorder and console')
addStartCommands(command)
addCatalogueCommands(command)
addRetentionCommand(command)
addEvidenceCommands(command)
addRotateEvidenceKeyCommand(command)
addRotateKeysCommand(command)
addLintCommand(command)
addDryRunCommand(command)
addChaosCommand(command)
addCheckCommand(command)
addAccessCommands(command)
addAuditCommand(command)
command.parseAsync().catch(fail)
