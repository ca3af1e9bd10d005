/** Makes a Node say that it is too old. */
export const PRETEND_OLD_NODE = [
  "--import",
  "data:text/javascript," +
    'Object.defineProperty(process.versions,"node",{value:"20.11.1"});' +
    'Object.defineProperty(process,"version",{value:"v20.11.1"})',
];
