#!/bin/sh
# As in the official image: a tool of Kafka, by its name, with the options of the same variables.
case $0 in
*-storage.sh) main=kafka.tools.StorageTool ;;
*) main=kafka.Kafka ;;
esac
# shellcheck disable=SC2086 # each is several words
exec /opt/java/bin/java $KAFKA_HEAP_OPTS $KAFKA_JVM_PERFORMANCE_OPTS -cp '/opt/kafka/libs/*' "$main" "$@"
