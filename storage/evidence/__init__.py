"""Files of reporters.

blobs: the blob store: its interface, and the one in a folder
bucket: the blob store in an S3-compatible bucket
custody: commitments to files in the audit log
files: rows of files: state, sealed keys and details
sealed_files: one sealed file on disk, written and read in chunks
"""
