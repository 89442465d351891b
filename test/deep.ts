/** `npm run test:deep` tries all that `npm test` tries a sample of: some twenty minutes. */
export const isDeep = process.env.DRAWBRIDGE_TEST_DEEP === 'yes'
