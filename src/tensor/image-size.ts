/** Height and width in pixels, and values a pixel: 1 is grey, 3 is red, green and blue. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}
