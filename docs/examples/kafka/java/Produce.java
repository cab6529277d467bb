import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.Future;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Writes a form and a call of each of three customers to crm.intake.facts. Run it again: nothing is counted twice. */
public class Produce {
  /** A schema with its id in schemas/avro/registry.json. */
  record Registered(int id, Schema schema) {}

  static Registered newest(JsonNode registry, String name) {
    JsonNode found = null;
    for (JsonNode entry : registry) {
      if (entry.get("name").asText().equals(name)) found = entry;
    }
    return new Registered(found.get("id").asInt(), new Schema.Parser().parse(found.get("schema").toString()));
  }

  /** A zero byte, the schema's id in four bytes, big-endian, and the Avro body. */
  static byte[] framed(Registered type, GenericRecord fact) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(ByteBuffer.allocate(5).put((byte) 0).putInt(type.id()).array());
    BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
    new GenericDatumWriter<GenericRecord>(type.schema()).write(fact, encoder);
    encoder.flush();
    return out.toByteArray();
  }

  /** An id that is the same for the same name, so that a repeat is recognised. */
  static String id(String name) {
    return UUID.nameUUIDFromBytes(("https://shop.example/" + name).getBytes(StandardCharsets.UTF_8)).toString();
  }

  /** The record of a field, with the defaults of what is not set. */
  static GenericRecordBuilder part(Registered type, String field) {
    return new GenericRecordBuilder(type.schema().getField(field).schema());
  }

  static GenericRecordBuilder fact(Registered type, String workspace, String id, String sender, Instant at, String raw) {
    long micros = ChronoUnit.MICROS.between(Instant.EPOCH, at);
    GenericRecord meta = part(type, "meta")
        .set("id", id(id)).set("workspace", workspace).set("stream", id(sender)).set("source", id("")).set("cause", id(id))
        .set("occurred_at", micros).set("recorded_at", ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now()))
        .build();
    GenericRecord body = part(type, "raw")
        .set("content_type", "application/json").set("headers", Map.of()).set("query", "")
        .set("body", ByteBuffer.wrap(raw.getBytes(StandardCharsets.UTF_8)))
        .build();
    return new GenericRecordBuilder(type.schema()).set("meta", meta).set("raw", body);
  }

  static GenericRecord phone(Schema schema, String e164) {
    if (!e164.matches("\\+[1-9]\\d{6,14}")) throw new IllegalArgumentException(e164 + " is not E.164");
    return new GenericRecordBuilder(schema).set("text", e164).set("e164", e164).build();
  }

  public static void main(String[] arguments) throws Exception {
    JsonNode registry = new ObjectMapper().readTree(new File("schemas/avro/registry.json"));
    Registered form = newest(registry, "FormSubmitted"), call = newest(registry, "CallReported");
    String workspace = System.getenv("WORKSPACE"), topic = "crm.intake.facts";
    Instant begin = Instant.parse("2026-03-01T10:00:00Z");

    Properties settings = new Properties();
    settings.put("bootstrap.servers", System.getenv("KAFKA_BOOTSTRAP"));
    settings.put("acks", "all");
    settings.put("enable.idempotence", "true");
    settings.put("linger.ms", "5"); // whole batches
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    try (KafkaProducer<String, byte[]> producer =
        new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer())) {
      for (int n = 0; n < 3; n++) {
        String sender = "customers/" + n, e164 = "+38050765432" + n;
        GenericRecord asked = fact(form, workspace, "orders/" + n, sender, begin, "{\"order\":" + n + "}")
            .set("name", "Олена " + n)
            .set("phones", List.of(phone(form.schema().getField("phones").schema().getElementType(), e164)))
            .set("fields", Map.of("order", Integer.toString(n))) // JSON text, so that its type survives
            .build();
        GenericRecord rang = fact(call, workspace, "calls/" + n, sender, begin.plusSeconds(60), "{\"call\":" + n + "}")
            .set("call", "java-" + n).set("phase", "completed").set("direction", "in")
            .set("phone", phone(call.schema().getField("phone").schema(), e164))
            .build();
        // The sender is the key: its form is decided before its call.
        sent.add(producer.send(new ProducerRecord<>(topic, id(sender), framed(form, asked))));
        sent.add(producer.send(new ProducerRecord<>(topic, id(sender), framed(call, rang))));
      }
      for (Future<RecordMetadata> one : sent) one.get(); // fails if one of them was not stored
    }
    System.out.println(sent.size() + " facts are in " + topic);
  }
}
