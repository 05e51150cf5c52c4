/** MD5 of the four original files of MNIST (LeCun, Cortes and Burges, 1998), uncompressed. */
export const mnistChecksums: Readonly<Record<string, string>> = {
  'train-images-idx3-ubyte': '6bbc9ace898e44ae57da46a324031adb',
  'train-labels-idx1-ubyte': 'a25bea736e30d166cdddb491f175f624',
  't10k-images-idx3-ubyte': '2646ac647ad5339dbf082846283269ea',
  't10k-labels-idx1-ubyte': '27ae3e4e09519cfbb04c329615203637',
};

/**
 * Whether a data set is MNIST, wherever its files lie and however they are spelled.
 * @param checksums MD5 of each of its files, as a `DataSource` and a run's `config.json` have them
 */
export function isMnist(checksums: Readonly<Record<string, unknown>>): boolean {
  const sorted = (md5s: Readonly<Record<string, unknown>>) => Object.values(md5s).map(String).sort().join();
  return sorted(checksums) === sorted(mnistChecksums);
}
