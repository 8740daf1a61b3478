import assert from 'node:assert/strict'
import test from 'node:test'
import { Gate } from './gate.ts'

test('shutting is seen at once by every holder of the memory', () => {
  const control = Gate.create(true)
  const sender = Gate.attach(control.memory)
  assert.equal(sender.isOpen, true)
  control.shut()
  assert.equal(sender.isOpen, false)
})

test('opening works in the epoch that it was asked for in', () => {
  const control = Gate.create(false)
  const sender = Gate.attach(control.memory)
  sender.open(control.epoch)
  assert.equal(control.isOpen, true)
})

test('an opening asked for before a later shutting does nothing', () => {
  const control = Gate.create(true)
  const sender = Gate.attach(control.memory)
  control.shut()
  const asked = control.epoch
  control.shut()
  sender.open(asked)
  assert.equal(sender.isOpen, false)
  sender.open(control.epoch)
  assert.equal(sender.isOpen, true)
})
