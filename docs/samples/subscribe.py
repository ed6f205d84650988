"""Reads every published table from Kafka, and prints those of a measure: python subscribe.py reader.json waiting"""

import json
import sys
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

reader = json.loads(Path(sys.argv[1]).read_text())
kafka, group = reader["kafka"], reader["group_prefix"] + "sample"
settings = {"bootstrap.servers": kafka["bootstrap"], "group.id": group, "enable.partition.eof": True}
settings |= {"security.protocol": kafka["protocol"], "sasl.mechanism": kafka["mechanism"]}
settings |= {"sasl.username": kafka["user"], "sasl.password": kafka["password"]}
settings |= {"ssl.ca.location": kafka["ca"]} if kafka["ca"] else {}
consumer, tables = Consumer(settings), {}
consumer.assign([TopicPartition(reader["topic"], 0, OFFSET_BEGINNING)])
while (record := consumer.poll(20)) and not record.error():  # until the end; go on polling to stay up to date
    if dict(record.headers() or [])["ce_type"].endswith(b"MetricPublished.v2"):
        tables[record.key()] = json.loads(record.value())  # a later table replaces the one before it
for table in (table for table in tables.values() if table["measure"] == sys.argv[2]):
    for cell in table["cells"]:
        print(table["name"], *cell["codes"], cell["hidden"] or cell["value"])
consumer.close()
