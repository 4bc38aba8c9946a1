// The bundler puts an import of every *.suite.ts here.
declare module "virtual:suites";
