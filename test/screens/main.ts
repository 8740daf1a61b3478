// `npm run screenshots -- [FOLDER] [VIEW…]`: every view of the console, or those named, in both themes at two widths, over real programs with
// real calls.

import { photograph } from '../harness/console-views.ts'
import { openStage } from './stage.ts'
import { viewsOf } from './views.ts'

const [folder = 'demo-output/screens', ...names] = process.argv.slice(2)
const stage = await openStage()
try {
  const views = viewsOf(stage).filter(({ name }) => names.length === 0 || names.includes(name))
  await photograph(views, folder, (file) => console.log(file))
} finally {
  await stage.close()
}
