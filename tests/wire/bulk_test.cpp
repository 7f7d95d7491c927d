#include "wire/bulk.h"

#include <gtest/gtest.h>
#include <string>

namespace windlass::wire {
namespace {

std::string encoded(std::string_view event, std::string_view index = "i") {
  bulk::RequestEncoder encoder(bulk::Operation::create, bulk::IndexName(index));
  base::ByteQueue out;
  return encoder.add(event, {}, out) ? std::string(out.view()) : "refused";
}

TEST(BulkRequest, MakesTheIdOfMetadataThatOfTheDocument) {
  EXPECT_EQ(encoded(R"({"message":"a","@metadata":{"_id":"x-1"}})"),
            "{\"create\":{\"_index\":\"i\",\"_id\":\"x-1\"}}\n{\"message\":\"a\"}\n");
  EXPECT_EQ(encoded(R"({"@metadata":{"_id":"\"","b":{}} , "message":"a"})"),
            "{\"create\":{\"_index\":\"i\",\"_id\":\"\\\"\"}}\n{ \"message\":\"a\"}\n");
  EXPECT_EQ(encoded(R"({"@metadata":{"_id":7}})"), "{\"create\":{\"_index\":\"i\"}}\n{}\n");
}

TEST(BulkRequest, LeavesTheRestOfADocumentAsItIs) {
  EXPECT_EQ(encoded("{\"a\":{\"@metadata\":{}},\n\"b\":\"@metadata\"}"),
            "{\"create\":{\"_index\":\"i\"}}\n{\"a\":{\"@metadata\":{}}, \"b\":\"@metadata\"}\n");
}

TEST(BulkRequest, RefusesWhatIsNoObject) {
  for (const char* event : {"", "7", "[]", "{", "{\"a\":", "{} {}", "plain"})
    EXPECT_EQ(encoded(event), "refused") << event;
}

TEST(BulkRequest, NamesTheIndexByTheTimeOfTheEvent) {
  EXPECT_NE(encoded(R"({"@timestamp":"9999-12-31T00:00:00Z"})", "l-%{+yyyy}").find("\"l-9999\""), std::string::npos)
      << "farther away than nanoseconds count";
  EXPECT_EQ(encoded(R"({"@timestamp":"2024-05-06T23:08:09.123-02:00"})", "l-%{+yyyy.MM.dd}"),
            "{\"create\":{\"_index\":\"l-2024.05.07\"}}\n{\"@timestamp\":\"2024-05-06T23:08:09.123-02:00\"}\n");
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
      (Results{{400, "a: b c"}}));
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

TEST(BulkRequest, IsReadBackAsItWasWritten) {
  std::string problem;
  const std::string body = encoded(R"({"m":1,"@metadata":{"_id":"x"}})");
  const auto items = bulk::read_request(body, problem);
  ASSERT_TRUE(items) << problem;
  ASSERT_EQ(items->size(), 1u);
  EXPECT_EQ(items->front().id, "x");
  EXPECT_EQ(items->front().document, "{\"m\":1}");
}

}  // namespace
}  // namespace windlass::wire
