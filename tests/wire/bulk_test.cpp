#include "wire/bulk.h"

#include <gtest/gtest.h>
#include <string>

namespace windlass::wire {
namespace {

std::string encoded(std::string_view event, std::string_view index = "i") {
  bulk::RequestEncoder encoder(bulk::Operation::create, bulk::IndexName(index));
  base::ByteQueue out;
  const std::string_view problem = encoder.add(event, {}, out);
  return problem.empty() ? std::string(out.view()) : std::string(problem);
}

TEST(BulkRequest, MakesTheIdOfMetadataThatOfTheDocument) {
  EXPECT_EQ(encoded(R"({"message":"a","@metadata":{"_id":"x-1"}})"),
            "{\"create\":{\"_index\":\"i\",\"_id\":\"x-1\"}}\n{\"message\":\"a\"}\n");
  EXPECT_EQ(encoded(R"({"@metadata":{"_id":"\"","b":{}} , "message":"a"})"),
            "{\"create\":{\"_index\":\"i\",\"_id\":\"\\\"\"}}\n{ \"message\":\"a\"}\n");
  EXPECT_EQ(encoded(R"({"@metadata":{"_id":7}})"), "{\"create\":{\"_index\":\"i\"}}\n{}\n");
}

TEST(BulkRequest, HasNoIdThatWouldBeRefusedWithAllOthers) {
  EXPECT_EQ(encoded(R"({"@metadata":{"_id":""},"a":1})"), "{\"create\":{\"_index\":\"i\"}}\n{\"a\":1}\n");
  const auto with_id = [](const std::string& id) { return encoded(R"({"@metadata":{"_id":")" + id + R"("}})"); };
  EXPECT_TRUE(with_id(std::string(512, 'x')).starts_with("{\"create\"")) << "as long as it may be";
  EXPECT_EQ(with_id(std::string(513, 'x')), "its @metadata._id is longer than the 512 bytes that an id may have");
  std::string escaped;
  for (int i = 0; i < 512; ++i) escaped += "\\u0041";
  EXPECT_TRUE(with_id(escaped).starts_with("{\"create\"")) << "it counts what it means, not how it is written";
}

TEST(BulkRequest, LeavesTheRestOfADocumentAsItIs) {
  EXPECT_EQ(encoded("{\"a\":{\"@metadata\":{}},\n\"b\":\"@metadata\"}"),
            "{\"create\":{\"_index\":\"i\"}}\n{\"a\":{\"@metadata\":{}}, \"b\":\"@metadata\"}\n");
}

TEST(BulkRequest, RefusesWhatIsNoObject) {
  for (const char* event : {"", "7", "[]", "{", "{\"a\":", "{} {}", "plain"})
    EXPECT_EQ(encoded(event), "it is no JSON object") << event;
}

TEST(BulkRequest, NamesTheIndexByTheTimeOfTheEvent) {
  EXPECT_NE(encoded(R"({"@timestamp":"9999-12-31T00:00:00Z"})", "l-%{+yyyy}").find("\"l-9999\""), std::string::npos)
      << "farther away than nanoseconds count";
  EXPECT_EQ(encoded(R"({"@timestamp":"2024-05-06T23:08:09.123-02:00"})", "l-%{+yyyy.MM.dd}"),
            "{\"create\":{\"_index\":\"l-2024.05.07\"}}\n{\"@timestamp\":\"2024-05-06T23:08:09.123-02:00\"}\n");
  EXPECT_NE(encoded("{}", "Logs-%{+yyyy}T").find("\"logs-1970t\""), std::string::npos) << "an index has lower case";
  EXPECT_THROW(bulk::IndexName("a-%{[b]}"), std::invalid_argument);
  EXPECT_THROW(bulk::IndexName("a-%{+QQ}"), std::invalid_argument);
}

TEST(BulkAnswer, GivesTheStatusOfEachItemAndWhatWasSaidOfIt) {
  using Results = std::vector<bulk::ItemResult>;
  EXPECT_EQ(
      bulk::read_answer(R"({"errors":true,"items":[{"create":{"status":201}},{"create":{"status":429,"error":{}}}]})"),
      (Results{{201, ""}, {429, ""}}));
  EXPECT_EQ(
      bulk::read_answer(
          R"({"items":[{"index":{"error":{"caused_by":{"type":"x"},"reason":"b\nc","type":"a"},"status":400}}]})"),
      (Results{{400, "a: b c, caused by x"}}));
  EXPECT_EQ(
      bulk::read_answer(
          R"({"items":[{"create":{"status":400,"error":{"type":"a","reason":"b","caused_by":{"type":"c","reason":)"
          R"("d","caused_by":{"reason":"e"}}}}}]})"),
      (Results{{400, "a: b, caused by c: d, caused by e"}}));
  EXPECT_EQ(bulk::read_answer(R"({"items":[{"index":{"status":400,"error":"old"}}]})"), (Results{{400, "old"}}));
}

TEST(BulkAnswer, KeepsWhatWasSaidShortAndWhole) {
  std::string euros;
  for (int i = 0; i < 1000; ++i) euros += "\xe2\x82\xac";
  const auto results = bulk::read_answer(R"({"items":[{"index":{"status":400,"error":")" + euros + R"("}}]})");
  ASSERT_TRUE(results);
  EXPECT_LE(results->front().error.size(), 500u);
  EXPECT_EQ(results->front().error.size() % 3, 0u);
}

TEST(BulkAnswer, IsUnreadableWhenAnythingIsMissing) {
  for (const char* answer :
       {"", "{}", "<html>", R"({"errors":false})", R"({"items":[{"create":{}}]})", R"({"items":[{}]})",
        R"({"items":[{"create":{"status":201}})", R"({"items":[{"create":{"status":"201"}}]})",
        R"({"items":[{"create":{"status":201}}]} x)", R"({"items":[{"create":{"status":101}}]})",
        R"({"items":[{"create":{"status":201},"index":{"status":201}}]})", R"({"items":[],"items":[]})",
        R"({"took":tru,"items":[{"create":{"status":201}}]})"})
    EXPECT_FALSE(bulk::read_answer(answer)) << answer;
  EXPECT_FALSE(bulk::read_answer({}));
}

}  // namespace
}  // namespace windlass::wire
