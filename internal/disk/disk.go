// Package disk tells local file systems from networks.
//
// Start with [Local] for a folder, or [LocalFile] for an open file. On a local disk a
// mapped page can be had as long as the file is open, and processes see each other's
// shared memory and the order of writes; on NFS, Lustre and their like a page that
// cannot be fetched kills the process (SIGBUS), and locks and order are promises of a
// server. What is not known counts as a network, which is slower and always safe.
package disk
