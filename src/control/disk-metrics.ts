// Metrics of the disk that the recorder writes to.

import { Gauge, type Registry } from 'prom-client'
import type { MetricsView, RecorderDisk } from './views.ts'

/** Adds them; without a recorder they have no values. */
export function diskMetrics(view: MetricsView, registers: Registry[]): void {
  new Gauge({
    name: 'siprec_gateway_recorder_disk_condition',
    help: 'Condition of the disk of the recorder, 1 for the one that holds: well, low, slow, full, read-only or unwritable',
    labelNames: ['condition'],
    registers,
    collect() {
      this.reset()
      const disk = view.snapshot().disk
      for (const condition of disk?.conditions ?? []) this.set({ condition }, condition === disk?.condition ? 1 : 0)
    },
  })
  const gauge = (name: string, help: string, read: (disk: RecorderDisk) => number | undefined): void => {
    new Gauge({
      name: `siprec_gateway_recorder_${name}`,
      help,
      registers,
      collect() {
        this.reset()
        const { disk } = view.snapshot()
        const value = disk && read(disk)
        if (value === undefined) this.remove()
        else this.set(value)
      },
    })
  }
  gauge('disk_free_bytes', 'Bytes free on the disk of the recorder', (disk) => disk.freeBytes)
  gauge('waiting_bytes', 'Bytes received that wait in memory for the disk', (disk) => disk.waitingBytes)
  gauge(
    'unsynced_seconds',
    'For how long the oldest byte of an open recording has not been on the medium',
    (disk) => disk.unsyncedMs / 1000,
  )
  gauge('open_files', 'Files of recordings that are being written', (disk) => disk.openFiles)
}
