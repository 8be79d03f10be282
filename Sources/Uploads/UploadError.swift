/// Why an upload did not go on. What each is to a client is the front door's to say.
package enum UploadError: Error, Hashable, Sendable {
    case noSuchUpload
    /// It was kept for as long as it was promised.
    case expired
    /// It is an upload already.
    case finished
    /// All bytes are here; somebody is joining them.
    case finishing(received: Int64)
    /// The bytes do not begin where those before them end.
    case offsetDiffers(received: Int64, sent: Int64)
    case tooLarge(bytesMax: Int64)
    case tooManyParts(partsMax: Int)
    case lengthDiffers(known: Int64)
    case lengthTooShort(received: Int64)
    /// A joined upload gets its bytes from its pieces.
    case takesNothing
    /// Another request for the same upload came: this one's turn is over.
    case takenOver
    /// The bytes of this request are not those that their sender has hashed; none of them counts.
    case checksumDiffers(received: Int64)
    /// The whole is not what its sender has hashed; it is thrown away.
    case digestDiffers
    /// The bytes stopped in the middle. What had come is kept.
    case connectionLost
    case tooManySessions(sessionsMax: Int)
    case tooManyBytes(bytesMax: Int64)
    case noSuchPiece
    case unfinishedPiece
    case tooManyPieces(piecesMax: Int)
    /// A video without a byte is none.
    case empty
    case metadataTooLong(bytesMax: Int)
}
