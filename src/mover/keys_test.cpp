#include "mover/keys.h"

#include <gtest/gtest.h>

namespace godwit::mover {
namespace {

TEST(Keys, NormalisesLineEndsAndTheFinalNewline) {
  EXPECT_EQ(normaliseKey("a\r\nb\r\n"), "a\nb\n");
  EXPECT_EQ(normaliseKey("  \n a\nb"), "a\nb\n");
  EXPECT_EQ(normaliseKey("a\n\n\n"), "a\n");
  EXPECT_EQ(normaliseKey(""), "\n");
}

TEST(Keys, TakesAPublicKeyWithoutItsComment) {
  const auto key = publicKey("ssh-ed25519 AAAAC3+/= me@host \",command\r\n", "source.pub");
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(*key, "ssh-ed25519 AAAAC3+/=\n");
  EXPECT_TRUE(publicKey("ecdsa-sha2-nistp256   AAAA", "f").ok());
  EXPECT_TRUE(publicKey("sk-ssh-ed25519@openssh.com AAAA", "f").ok());
}

TEST(Keys, RefusesWhatIsNotOnePublicKey) {
  for (const auto* text : {"", "\n", "ssh-rsa", "ssh-rsa AAA\nssh-rsa BBB", "command=\"x\" ssh-rsa AAAA",
                           "ssh-rsa A\"B", "* ssh-rsa AAAA"}) {
    const auto key = publicKey(text, "source.pub");
    ASSERT_FALSE(key.ok()) << text;
    EXPECT_NE(key.error().message.find("source.pub"), std::string::npos);
  }
}

TEST(Keys, RefusesPrivateKeysItCannotUseWithoutQuotingThem) {
  EXPECT_TRUE(
      privateKey("-----BEGIN OPENSSH PRIVATE KEY-----\r\nAAA\r\n-----END OPENSSH PRIVATE KEY-----", "source").ok());
  for (const auto* text :
       {"SECRET", "-----BEGIN OPENSSH PRIVATE KEY-----\nSECRET",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nSECRET\n-----END RSA PRIVATE KEY-----"}) {
    const auto key = privateKey(text, "source");
    ASSERT_FALSE(key.ok());
    EXPECT_EQ(key.error().message.find("SECRET"), std::string::npos);
    EXPECT_NE(key.error().message.find("source"), std::string::npos);
  }
}

TEST(Keys, NamesTheMissingField) {
  const auto text = readKeyField("/nonexistent", "destination.pub");
  ASSERT_TRUE(text.is(Errc::NotFound));
  EXPECT_NE(text.error().message.find("destination.pub"), std::string::npos);
}

}  // namespace
}  // namespace godwit::mover
