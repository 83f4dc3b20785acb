// Imported before a program, it has what the program starts by its own path run on another Node.js.
process.execPath = process.env.CLOUDEASYML_TEST_NODE ?? process.execPath;
