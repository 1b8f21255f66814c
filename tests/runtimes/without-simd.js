/**
 * Makes this an engine without vectors, as far as the package can see: it then loads the scalar build. The file is loaded
 * before the package, by `--import` in Node and as an init script in a page; it is no module, so that both take it.
 */
WebAssembly.validate = () => false;
