/// A value that is text on the wire and in the database, and refuses text that is not one of its own.
package protocol TextCoded: Codable {
    init?(_ text: String)
    var rawValue: String { get }
}

extension TextCoded {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let parsed = Self(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(text.prefix(80)) is not a \(Self.self)")
        }
        self = parsed
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

extension ClipID: TextCoded {}
extension NodeID: TextCoded {}
extension Region: TextCoded {}
extension BlobName: TextCoded {}
extension Identifier: TextCoded {}
