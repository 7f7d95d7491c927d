#include "wire/bulk_server.h"

#include <gtest/gtest.h>
#include <string>

namespace windlass::wire {
namespace {

using bulk::Operation;

std::vector<bulk::Item> items_of(std::string_view body, std::string_view index = {}) {
  bulk::Error problem;
  const auto items = bulk::read_request(body, index, problem);
  EXPECT_TRUE(items) << problem.reason;
  return items.value_or(std::vector<bulk::Item>());
}

std::string problem_of(std::string_view body) {
  bulk::Error problem;
  EXPECT_FALSE(bulk::read_request(body, {}, problem)) << body;
  return std::string(problem.type) + ": " + problem.reason;
}

std::string answer_to(const std::vector<bulk::Item>& items, std::string_view filter = {}) {
  base::ByteQueue out;
  bulk::encode_answer(items, bulk::AnswerFilter(filter), out);
  return std::string(out.view());
}

TEST(BulkServer, ReadsWhatTheEncoderWrites) {
  bulk::RequestEncoder encoder(Operation::create, bulk::IndexName("i"));
  base::ByteQueue body;
  EXPECT_EQ(encoder.add(R"({"m":1,"@timestamp":"t","@metadata":{"_id":"x\n"}})", {}, body), "");
  EXPECT_EQ(encoder.add("{}", {}, body), "");
  const auto items = items_of(body.view());
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].index, "i");
  EXPECT_EQ(items[0].id, "x\n");
  EXPECT_EQ(items[0].document, R"({"m":1,"@timestamp":"t"})");
  EXPECT_TRUE(items[0].has_timestamp);
  EXPECT_EQ(items[1].id, "");
  EXPECT_FALSE(items[1].has_timestamp);
}

TEST(BulkServer, TakesTheIndexOfThePathWhereNoneIsNamed) {
  const auto items =
      items_of("{\"index\":{\"_id\":7}}\r\n{}\n\n{\"create\":{\"_index\":\"b\",\"_id\":null}}\n{}\n", "a");
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].index, "a");
  EXPECT_EQ(items[0].id, "7");
  EXPECT_EQ(items[1].index, "b");
  EXPECT_EQ(items[1].id, "");
}

TEST(BulkServer, RefusesItemsForWhatTheyAre) {
  const auto items = items_of(
      "{\"create\":{\"_index\":\"a\"}}\nplain\n"
      "{\"create\":{\"_index\":\"a\"}}\n[]\n"
      "{\"create\":{\"_index\":\"a\"}}\n\n"
      "{\"create\":{\"_index\":\"a\",\"_id\":\"\"}}\n{}\n"
      "{\"create\":{\"_index\":\"A\"}}\n{}\n"
      "{\"create\":{\"_index\":\"a*\"}}\n{}\n"
      "{\"create\":{\"_index\":\"_a\"}}\n{}\n"
      "{\"create\":{\"_index\":\"a\"}}\n{}\n");
  ASSERT_EQ(items.size(), 8u);
  for (std::size_t place = 0; place < 7; ++place) EXPECT_EQ(items[place].status, 400u) << place;
  EXPECT_EQ(items[0].error.type, "document_parsing_exception");
  EXPECT_EQ(items[3].error.reason, "if _id is specified it must not be empty");
  EXPECT_EQ(items[4].error.type, "invalid_index_name_exception");
  EXPECT_EQ(items[7].status, 201u);
}

TEST(BulkServer, KnowsWhatIsATimestamp) {
  const auto has = [](const std::string& document) {
    return items_of("{\"create\":{\"_index\":\"a\"}}\n" + document + "\n").at(0).has_timestamp;
  };
  EXPECT_TRUE(has(R"({"@timestamp":"2024-05-06T07:08:09Z"})"));
  EXPECT_TRUE(has(R"({"@timestamp":1700000000000})"));
  EXPECT_TRUE(has(R"({"@timestamp":["2024-05-06"]})"));
  for (const char* document : {"{}", R"({"a":{"@timestamp":1}})", R"({"@timestamp":null})", R"({"@timestamp":[1,2]})",
                               R"({"@timestamp":[]})", R"({"@timestamp":1,"@timestamp":2})"})
    EXPECT_FALSE(has(document)) << document;
}

TEST(BulkServer, RefusesRequestsThatAreNone) {
  EXPECT_EQ(problem_of(""), "parse_exception: request body is required");
  EXPECT_EQ(problem_of("\n"), "action_request_validation_exception: Validation Failed: 1: no requests added;");
  EXPECT_EQ(problem_of("{\"create\":{\"_index\":\"a\"}}\n"), problem_of("\n"));
  EXPECT_EQ(problem_of("{\"create\":{}}\n{}\n"),
            "action_request_validation_exception: Validation Failed: 1: index is missing;");
  EXPECT_EQ(problem_of("{\"create\":{\"_index\":\"a\"}}\n{}"),
            "illegal_argument_exception: The bulk request must be terminated by a newline [\\n]");
  EXPECT_NE(problem_of("{\"create\":{\"_index\":\"a\",\"_id\":\"" + std::string(513, 'x') + "\"}}\n{}\n")
                .find("must be no longer than 512 bytes but was: 513"),
            std::string::npos);
  for (const char* action : {"plain", "{}", "7", "{\"delete\":{\"_index\":\"a\"}}", "{\"create\":1}",
                             "{\"create\":{\"_what\":1}}", "{\"create\":{\"_index\":{}}}", "{\"create\":{}"})
    EXPECT_TRUE(problem_of(std::string("\n") + action + "\n{}\n")
                    .starts_with("illegal_argument_exception: Malformed action/metadata line [2], "))
        << action;
}

TEST(BulkServer, MatchesNamesByStars) {
  for (const char* pattern : {"logs-app-x", "*", "logs-*", "logs-*-*", "*-x", "l*s-**x", "logs-app-x*"})
    EXPECT_TRUE(bulk::matches(pattern, "logs-app-x")) << pattern;
  for (const char* pattern : {"", "logs", "logs-*-*-*", "*-y", "logs-app-x-*", "logs-app-xx"})
    EXPECT_FALSE(bulk::matches(pattern, "logs-app-x")) << pattern;
}

class BulkAnswers : public testing::Test {
 protected:
  BulkAnswers() {
    items =
        items_of("{\"create\":{\"_index\":\"a\",\"_id\":\"\\\"1\\u0001\"}}\n{}\n{\"index\":{\"_index\":\"b\"}}\n{}\n");
    items[0].refuse(409, "conflict", "there");
    items[1].status = 200;
  }
  std::vector<bulk::Item> items;
};

TEST_F(BulkAnswers, TellOfEachItem) {
  EXPECT_EQ(
      answer_to(items),
      R"({"took":1,"errors":true,"items":[{"create":{"_index":"a","_id":"\"1\u0001","status":409,)"
      R"("error":{"type":"conflict","reason":"there"}}},{"index":{"_index":"b","result":"updated","status":200}}]})");
  items.erase(items.begin());
  items[0].status = 201;
  EXPECT_EQ(answer_to(items),
            R"({"took":1,"errors":false,"items":[{"index":{"_index":"b","result":"created","status":201}}]})");
}

TEST_F(BulkAnswers, AreFilteredByTheirPaths) {
  const std::string statuses = R"("items":[{"create":{"status":409}},{"index":{"status":200}}]})";
  const std::string error = R"({"items":[{"create":{"error":{"type":"conflict","reason":"there"}}}]})";
  EXPECT_EQ(answer_to(items, "errors,items.*.status"), R"({"errors":true,)" + statuses);
  EXPECT_EQ(answer_to(items, "items.*.sta*"), "{" + statuses);
  EXPECT_EQ(answer_to(items, "**.status"), "{" + statuses);
  EXPECT_EQ(answer_to(items, "items.create.error"), error) << "an item of which nothing is left is left out";
  EXPECT_EQ(answer_to(items, "items.*.error.**"), error);
  EXPECT_EQ(answer_to(items, "items.index.error"), "{}");
  EXPECT_EQ(answer_to(items, "nothing"), "{}");
  EXPECT_EQ(answer_to(items, "-took,-errors,-items.*._*,-items.*.result,-**.error"), "{" + statuses);
  EXPECT_EQ(answer_to(items, "items,-items.create"),
            R"({"items":[{"index":{"_index":"b","result":"updated","status":200}}]})");
  EXPECT_EQ(answer_to(items, " ,"), answer_to(items)) << "no filter";
}

TEST_F(BulkAnswers, AreReadByTheClient) {
  const auto results = bulk::read_answer(answer_to(items, "errors,items.*.status,items.*.error"));
  EXPECT_EQ(results, (std::vector<bulk::ItemResult>{{409, "conflict: there"}, {200, ""}}));
}

}  // namespace
}  // namespace windlass::wire
