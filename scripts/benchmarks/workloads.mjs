const KIB = 1024;
const MIB = 1024 * KIB;

/** What is moved. Short runs vary more, and so are repeated more often. */
export const WORKLOADS = [
  { work: '1 x 1 MiB', count: 1, size: MIB, repeat: 4 },
  { work: '1000 x 10 KiB', count: 1000, size: 10 * KIB, repeat: 2 },
  { work: '20 x 50 MiB', count: 20, size: 50 * MIB, repeat: 1 },
  { work: '1 x 2 GiB', count: 1, size: 2048 * MIB, repeat: 1 },
];
