#!/bin/bash
# Starts one node of Kafka, broker and controller in one. What it is comes from the environment:
#   NODE_ID, VOTERS (id@host:port,...), REPLICAS, IN_SYNC, OUTSIDE (host:port that partners are told)
# and passwords and the certificate come from files, so that no list of processes or containers shows them.
set -euo pipefail
umask 077
from=/run/furthest
admin=$(<"$from/kafka-admin")
broker=$(<"$from/kafka-broker")
login=org.apache.kafka.common.security
plain="$login.plain.PlainLoginModule required username=\"broker\" password=\"$broker\" user_broker=\"$broker\";"
scram="$login.scram.ScramLoginModule required;"
cat "$from/key.pem" "$from/cert.pem" > /tmp/keystore.pem

cat > /tmp/server.properties <<PROPERTIES
process.roles=broker,controller
node.id=$NODE_ID
controller.quorum.voters=$VOTERS
log.dirs=/var/lib/kafka/data
# BROKERS is for the nodes among themselves, INSIDE for the services, OUTSIDE for partners.
listeners=CONTROLLER://:9093,BROKERS://:9091,INSIDE://:9092,OUTSIDE://:${OUTSIDE##*:}
advertised.listeners=BROKERS://$HOSTNAME:9091,INSIDE://$HOSTNAME:9092,OUTSIDE://$OUTSIDE
listener.security.protocol.map=CONTROLLER:SASL_PLAINTEXT,BROKERS:SASL_PLAINTEXT,INSIDE:SASL_PLAINTEXT,OUTSIDE:SASL_SSL
controller.listener.names=CONTROLLER
inter.broker.listener.name=BROKERS
sasl.mechanism.controller.protocol=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=$plain
listener.name.brokers.sasl.enabled.mechanisms=PLAIN
listener.name.brokers.plain.sasl.jaas.config=$plain
listener.name.inside.scram-sha-512.sasl.jaas.config=$scram
listener.name.outside.scram-sha-512.sasl.jaas.config=$scram
listener.name.outside.ssl.keystore.type=PEM
listener.name.outside.ssl.keystore.location=/tmp/keystore.pem
ssl.enabled.protocols=TLSv1.3,TLSv1.2
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:broker;User:admin
auto.create.topics.enable=false
default.replication.factor=$REPLICAS
min.insync.replicas=$IN_SYNC
offsets.topic.replication.factor=$REPLICAS
transaction.state.log.replication.factor=$REPLICAS
transaction.state.log.min.isr=$IN_SYNC
share.coordinator.state.topic.replication.factor=$REPLICAS
share.coordinator.state.topic.min.isr=$IN_SYNC
offsets.topic.num.partitions=12
transaction.state.log.num.partitions=12
unclean.leader.election.enable=false
connections.max.idle.ms=600000
max.connections.per.ip=200
$(((REPLICAS == 1)) && echo log.flush.interval.messages=1)
PROPERTIES

if [ ! -f /var/lib/kafka/data/meta.properties ]; then
    printf '%s\n' format "--cluster-id=$(<"$from/kafka-cluster")" --config=/tmp/server.properties --ignore-formatted \
        "--add-scram=SCRAM-SHA-512=[name=admin,password=$admin]" > /tmp/format
    /opt/kafka/bin/kafka-run-class.sh kafka.tools.StorageTool @/tmp/format
    rm /tmp/format
fi
exec /opt/kafka/bin/kafka-server-start.sh /tmp/server.properties
