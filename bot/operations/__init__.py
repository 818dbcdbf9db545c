"""What commands and loops do with files on this machine.

backups: writes backups to disk, proves them, names them, removes old ones
founding: founds an installation: recovery keys, vault, first unit, default route
private_files: writes files that only their owner may read
recovery_paper: a recovery secret as text for paper, public halves as a file
"""
