"""Units, their keys, grants, routes and admissions.

above: the unit that gets reports on the head of the region and on our own people
admissions: who waits: officers before a unit, accounts to be confirmed
entrance: what every report asks of units and routes, verified when a row changed
grants: a unit's secret sealed to one member or to the recovery key
memberships: who sits in a unit: who was admitted, and who may be
readiness: what is missing before reports can be taken
recovery_keys: public halves of the two offline recovery pairs
rotation: the next key pair of a unit
routes: which unit gets which reports
units: units and their key pairs
"""
