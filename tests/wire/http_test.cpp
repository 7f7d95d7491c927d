#include "wire/http.h"

#include <gtest/gtest.h>
#include <string>

namespace windlass::wire {
namespace {

TEST(HttpDecoder, ReadsAnswersHoweverTheyAreCut) {
  const std::string bytes =
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
      "HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  for (std::size_t piece = 1; piece < bytes.size(); ++piece) {
    http::Decoder decoder(http::Decoder::Side::responses, {});
    std::string seen;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      decoder.feed(std::string_view(bytes).substr(at, piece));
      while (const http::Message* message = decoder.next())
        seen += std::to_string(message->status) + std::string(message->body.view()) +
                std::string(message->field("retry-after"));
    }
    EXPECT_EQ(seen, "200hello503abcde3") << piece << decoder.error_detail();
  }
}

TEST(HttpDecoder, ReadsABodyOfNoChunksByteByByte) {
  http::Decoder decoder(http::Decoder::Side::responses, {});
  const std::string_view bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  for (const char& byte : bytes.substr(0, bytes.size() - 1)) {
    decoder.feed({&byte, 1});
    ASSERT_EQ(decoder.next(), nullptr);
  }
  decoder.feed(bytes.substr(bytes.size() - 1));
  const http::Message* message = decoder.next();
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->body.empty());
}

TEST(HttpDecoder, BoundsHeaderAndBody) {
  http::DecoderLimits limits;
  limits.max_header = 1000;
  limits.max_body = 1000;
  for (const std::string& bytes :
       {"GET /" + std::string(2000, 'x'), "POST / HTTP/1.1\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'x')}) {
    http::Decoder decoder(http::Decoder::Side::requests, limits);
    decoder.feed(bytes);
    EXPECT_EQ(decoder.next(), nullptr);
    EXPECT_TRUE(decoder.error());
  }
}

TEST(Http, EncodesBase64) {
  EXPECT_EQ(http::base64("user:password"), "dXNlcjpwYXNzd29yZA==");
  EXPECT_EQ(http::base64("abc"), "YWJj");
}

}  // namespace
}  // namespace windlass::wire
