// Writes a form and a call of each of three customers to crm.intake.facts. Run it again: nothing is counted twice.
package main

import (
	"context"
	"crypto/sha1"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/kgo"
)

const topic = "crm.intake.facts"

var e164 = regexp.MustCompile(`^\+[1-9]\d{6,14}$`)

// registered is a schema with its id in schemas/avro/registry.json.
type registered struct {
	id     uint32
	schema avro.Schema
}

func newest(name string) registered {
	text, err := os.ReadFile("schemas/avro/registry.json")
	check(err)
	var entries []struct {
		Id     uint32
		Name   string
		Schema json.RawMessage
	}
	check(json.Unmarshal(text, &entries))
	var found registered
	for _, entry := range entries {
		if entry.Name == name {
			schema, err := avro.ParseWithCache(string(entry.Schema), "", &avro.SchemaCache{})
			check(err)
			found = registered{entry.Id, schema}
		}
	}
	return found
}

// framed gives a zero byte, the schema's id in four bytes, big-endian, and the Avro body.
func (r registered) framed(fact map[string]any) []byte {
	body, err := avro.Marshal(r.schema, fact)
	check(err)
	return append(binary.BigEndian.AppendUint32([]byte{0}, r.id), body...)
}

// id gives the same UUID for the same name, so that a repeat is recognised.
func id(name string) string {
	sum := sha1.Sum([]byte("https://shop.example/" + name))
	sum[6], sum[8] = sum[6]&0x0f|0x50, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// fact gives what every fact has. Fields that are left out get their defaults.
func fact(workspace, name, sender string, at time.Time, raw string) map[string]any {
	meta := map[string]any{
		"id": id(name), "workspace": workspace, "stream": id(sender), "source": id(""), "cause": id(name),
		"occurred_at": at, "recorded_at": time.Now(),
	}
	body := map[string]any{
		"content_type": "application/json", "headers": map[string]any{}, "query": "", "body": []byte(raw),
	}
	return map[string]any{"meta": meta, "raw": body}
}

func phone(number string) map[string]any {
	if !e164.MatchString(number) {
		log.Fatalf("%q is not E.164", number)
	}
	return map[string]any{"text": number, "e164": number}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	form, call := newest("FormSubmitted"), newest("CallReported")
	workspace, begin := os.Getenv("WORKSPACE"), time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	client, err := kgo.NewClient(kgo.SeedBrokers(os.Getenv("KAFKA_BOOTSTRAP")), kgo.ProducerLinger(5*time.Millisecond))
	check(err)
	defer client.Close()

	var records []*kgo.Record
	for n := range 3 {
		sender, number := fmt.Sprintf("customers/%d", n), fmt.Sprintf("+38050654321%d", n)
		asked := fact(workspace, fmt.Sprintf("orders/%d", n), sender, begin, fmt.Sprintf(`{"order":%d}`, n))
		asked["name"] = fmt.Sprintf("Олена %d", n)
		asked["phones"] = []any{phone(number)}
		asked["fields"] = map[string]any{"order": strconv.Itoa(n)} // JSON text, so that its type survives
		rang := fact(workspace, fmt.Sprintf("calls/%d", n), sender, begin.Add(time.Minute), fmt.Sprintf(`{"call":%d}`, n))
		rang["call"], rang["phase"], rang["direction"] = fmt.Sprintf("go-%d", n), "completed", "in"
		rang["phone"] = phone(number)
		// The sender is the key: its form is decided before its call.
		for _, value := range [][]byte{form.framed(asked), call.framed(rang)} {
			records = append(records, &kgo.Record{Topic: topic, Key: []byte(id(sender)), Value: value})
		}
	}
	// The client repeats what was not acknowledged, in order and without duplicates.
	check(client.ProduceSync(context.Background(), records...).FirstErr())
	fmt.Println(len(records), "facts are in", topic)
}
