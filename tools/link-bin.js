/** After a build in a checkout: makes the command executable and puts it where npx looks first, so that it starts at once. */
import { chmodSync, existsSync, rmSync, symlinkSync } from 'node:fs';

chmodSync('dist/cli.js', 0o755);
// Where links are not to be had (Windows), npx finds the command by package.json, only later.
if (existsSync('node_modules/.bin') && process.platform !== 'win32') {
  rmSync('node_modules/.bin/clockwright', { force: true });
  symlinkSync('../../dist/cli.js', 'node_modules/.bin/clockwright');
}
