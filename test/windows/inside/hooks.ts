import { registerHooks } from 'node:module';

/** Loaded first (`--import`) by Node under Wine: whoever asks for vitest gets what stands in for it there. */
registerHooks({
  resolve: (specifier, context, nextResolve) =>
    specifier === 'vitest'
      ? { url: new URL('./vitest.ts', import.meta.url).href, shortCircuit: true }
      : nextResolve(specifier, context),
});

// Wine takes TEMP from its registry, not from who starts it.
if (process.env.WINDOWS_TEMP !== undefined) {
  process.env.TEMP = process.env.WINDOWS_TEMP;
  process.env.TMP = process.env.WINDOWS_TEMP;
}
